"""Which output of a network is explained, as a number for each row."""

import numpy as np

from .._suggestions import did_you_mean
from ..tasks._classification import of_both_classes
from ._named_outputs import own_outputs


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
    named : list of NamedOutput, default=None
        What the tasks and their classes are called; ``None`` for the words of the network.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,) or None
        What the classes are called that may be explained, if there are some.
    picks_class : bool
        Whether each row is asked about the class that is predicted for it.
    """

    def __init__(self, assembly, output, logits=False, named=None):
        self._assembly, self._logits = assembly, logits
        own = own_outputs(assembly.tasks)
        named = own if named is None or _is_position_of_label(output, named) else named
        self._output, self._wanted = _output_and_wanted(named, output)
        self._what = f"task {self._output.name!r}" if len(named) > 1 else "the network"
        self._task, self.classes = assembly.tasks[self._output.task], self._output.classes
        self.picks_class = self.classes is not None and self._wanted is None
        self._position = None if self.picks_class else self._check()

    @property
    def _unit(self):
        """The output of the task that is about the second of two classes, or None if each class has one."""
        if self.classes is None or (self._output.label is None and self._task.n_units_ > 1):
            return None
        return self._output.label or 0

    def _check(self):
        wanted, what = self._wanted, self._what
        if self.classes is not None:
            classes = self.classes.tolist()
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
        return self._assembly.by_task(outputs)[self._output.task]

    def probabilities(self, decoded):
        """Return the probability of each class, from what the network says of each of its tasks."""
        of_task, label = decoded[self._output.task], self._output.label
        return of_task if label is None else of_both_classes(of_task[:, label])

    def positions(self, outputs):
        """Return the position of what is explained of each row, from the mean outputs of the task."""
        if not self.picks_class:
            return np.full(len(outputs), self._position)
        if self._unit is not None:
            return (outputs[:, self._unit] > (0.0 if self._logits else 0.5)).astype(int)
        return outputs.argmax(axis=1)

    def weights(self, positions):
        """Return what the outputs of each row are multiplied by, and what is added, as the score of it."""
        n_rows, n_units = len(positions), self._task.n_units_
        weights, offset = np.zeros((n_rows, n_units), dtype="float32"), np.zeros(n_rows, dtype="float32")
        if self._unit is not None:
            weights[:, self._unit] = np.where(positions == 1, 1.0, -1.0)
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
        return positions if self.classes is None else self.classes[positions]


def _is_position_of_label(output, named):
    return isinstance(output, (int, np.integer)) and not isinstance(output, bool) and named[0].label is not None


def _output_and_wanted(named, output):
    """Return the one of some named outputs that is meant, and what of it."""
    if len(named) == 1:
        return named[0], output
    known = {one.name: one for one in named}
    name, wanted = output if isinstance(output, tuple) and len(output) == 2 else (output, None)
    if name not in known:
        raise ValueError(
            f"the network has several tasks: 'output' should be one of {[*known]}, or a tuple of one and its output, "
            f"got {name!r}.{did_you_mean(name, known)}"
        )
    return known[name], wanted
