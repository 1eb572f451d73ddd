"""What networks predict, as the estimators around them call it.

A stack fits its networks to positions of classes, and to columns of the target without their names. Whoever asks about
a class, or is told one, means that of the stack.
"""

from typing import NamedTuple

import numpy as np


class NamedOutput(NamedTuple):
    """Something that a network predicts.

    Parameters
    ----------
    task : str
        What the network calls its task.
    name : str
        What the outermost estimator calls it.
    classes : ndarray of shape (n_classes,) or None
        What the outermost estimator calls the classes, in the order of the network; ``None`` if there are none, or the
        task is one of several labels.
    label : int, default=None
        Which of the labels of the task it is, if the outermost estimator has a task for each of them.
    """

    task: str
    name: str
    classes: np.ndarray | None
    label: int | None = None


def own_outputs(tasks):
    """Return what a network predicts in its own words, from its fitted tasks by name."""
    return [NamedOutput(name, name, _classes_of(task)) for name, task in tasks.items()]


def outputs_in(stack, outputs, tasks):
    """Return what a network in a stack predicts in the words of the stack.

    Parameters
    ----------
    stack : estimator
        Fitted; one of scikit-learn, which has positions of classes as well, or another ensemble.
    outputs : list of NamedOutput
        In the words of the base model.
    tasks : dict of str to Task
        The tasks of the network.
    """
    of_stack = getattr(getattr(stack, "_task", None), "tasks", None)
    if of_stack is None:
        known = getattr(stack, "classes_", None)
        return [_in_classes(output, known) for output in outputs]
    if len(outputs) == 1 < len(of_stack):
        outputs = _one_by_one(outputs[0], tasks, len(of_stack))
    own = [output.name for output in outputs]
    names = own if {*own} <= {*of_stack} else [*of_stack]  # networks of columns without names have them in their order
    pairs = zip(outputs, names, strict=False)
    return [_in_classes(output._replace(name=name), _classes_of(of_stack[name])) for output, name in pairs]


def _one_by_one(output, tasks, n_labels):
    """Return the labels of a task that stands for several columns of two classes each, one by one."""
    task = tasks[output.task]
    if getattr(task, "n_units_", None) != n_labels or not isinstance(getattr(task, "classes_", None), list):
        return [output]
    return [output._replace(classes=np.asarray(own), label=label) for label, own in enumerate(task.classes_)]


def _in_classes(output, known):
    """Return an output whose classes are those of an estimator that has fitted its models to positions of them."""
    if output.classes is None or not isinstance(known, np.ndarray):
        return output
    own = output.classes
    if list(own) == list(known):
        return output._replace(classes=known)
    if own.dtype.kind not in "iuf" or own.min() < 0 or own.max() >= len(known):
        return output  # fitted elsewhere, to classes of its own
    return output._replace(classes=known[own.astype(int)])


def _classes_of(task):
    classes = getattr(task, "classes_", None)
    return classes if isinstance(classes, np.ndarray) else None
