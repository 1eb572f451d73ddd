"""Targets, weights and outputs by task, and how Keras takes them."""


def lone(parts):
    """Return what there is for each task as a Keras model takes and returns it.

    A model of one task has a plain output, which is what people expect of it; one of several has a dict of them.

    Parameters
    ----------
    parts : dict of str to object
        By the name of the task.
    """
    return next(iter(parts.values())) if len(parts) == 1 else parts
