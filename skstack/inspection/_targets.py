"""Which output of a network is explained, as a number for each row."""

import numpy as np

from .._suggestions import did_you_mean


class Target:
    """The output of a network that gradients are taken of.

    Parameters
    ----------
    assembly : Assembly
    output : object
        Of a network of one task the output: a class, the position of one of several targets, quantiles or labels, or
        None. Of one of several tasks the name of the task, or a tuple of it and its output.
    logits : bool
        Whether the outputs are those before the softmax or sigmoid.
    """

    def __init__(self, assembly, output, logits=False):
        self._assembly, self._logits = assembly, logits
        self._task_name, self._wanted = _task_and_output(assembly.tasks, output)
        self._task = assembly.tasks[self._task_name]
        self._has_one_class = self._task.has_classes and isinstance(self._task.classes_, np.ndarray)
        self._position = None if self._picks_class else self._check()

    @property
    def _picks_class(self):
        """Whether each row is asked about the class that is predicted for it."""
        return self._has_one_class and self._wanted is None

    def _check(self):
        wanted, what = self._wanted, f"task {self._task_name!r}" if len(self._assembly.tasks) > 1 else "the network"
        if self._has_one_class:
            classes = self._task.classes_.tolist()
            if wanted not in classes:
                raise ValueError(f"{what} knows no class {wanted!r}.{did_you_mean(wanted, classes)} It has {classes}.")
            return classes.index(wanted)
        n_units = self._task.n_units_
        if wanted is None and n_units == 1:
            return 0
        if isinstance(wanted, bool) or not isinstance(wanted, (int, np.integer)) or not -n_units <= wanted < n_units:
            raise ValueError(f"{what} has {n_units} outputs: 'output' should be the position of one, got {wanted!r}.")
        return wanted % n_units

    def of_task(self, outputs):
        """Return the outputs of the task among those of the model."""
        return self._assembly.by_task(outputs)[self._task_name]

    def positions(self, outputs):
        """Return the position of what is explained of each row, from the mean outputs of the task."""
        if not self._picks_class:
            return np.full(len(outputs), self._position)
        if self._task.n_units_ == 1:
            return (outputs[:, 0] > (0.0 if self._logits else 0.5)).astype(int)
        return outputs.argmax(axis=1)

    def weights(self, positions):
        """Return what the outputs of each row are multiplied by, and what is added, as the score of it."""
        n_rows, n_units = len(positions), self._task.n_units_
        weights, offset = np.zeros((n_rows, n_units), dtype="float32"), np.zeros(n_rows, dtype="float32")
        if self._has_one_class and n_units == 1:  # the output is about the second of two classes
            weights[:, 0] = np.where(positions == 1, 1.0, -1.0)
            offset[:] = 0.0 if self._logits else positions == 0
        else:
            weights[np.arange(n_rows), positions] = 1.0
        return weights, offset

    def score(self, outputs, heard, weights):
        """Return what is explained of each row; see Instrumented.gradients."""
        from .._backend import keras

        factors, offset = weights
        return keras.ops.sum(self.of_task(outputs) * factors, axis=-1) + offset

    def names(self, positions):
        """Return what is explained of each row: its class, or the position of an output."""
        return self._task.classes_[positions] if self._has_one_class else positions


def _task_and_output(tasks, output):
    if len(tasks) == 1:
        return next(iter(tasks)), output
    name, output = output if isinstance(output, tuple) and len(output) == 2 else (output, None)
    if name not in tasks:
        raise ValueError(
            f"the network has several tasks: 'output' should be one of {[*tasks]}, or a tuple of one and its output, "
            f"got {name!r}.{did_you_mean(name, tasks)}"
        )
    return name, output
