"""The losses of single tasks in the history of a network of several: means over rows.

Keras weighs the loss of a task by the size of a batch where that is known when its step is traced, and all batches
alike where not: the history would depend on how a network was trained, and the last, smaller batch of an epoch would
count as much as others. The total loss is a mean over rows everywhere.
"""

from .._backend import keras


def average_over_rows(model):
    """Let a compiled Keras model of several outputs average the loss of each over rows.

    Parameters
    ----------
    model : keras.Model
        Compiled, and not trained yet. Its loss is changed in place.
    """
    loss = model._compile_loss
    kind = type(loss)
    loss.__class__ = type(kind.__name__, (_OverRows, kind), {"__module__": __name__})


class _OverRows:
    """What Keras's loss of a compiled model gets in front of it."""

    n_rows = None

    def build(self, y_true, y_pred):
        super().build(y_true, y_pred)
        for metric in self.metrics:
            metric.__class__ = _MeanOverRows
            metric.loss = self

    def call(self, y_true, y_pred, sample_weight=None):
        object.__setattr__(self, "n_rows", keras.ops.shape(keras.tree.flatten(y_pred)[0])[0])
        try:
            return super().call(y_true, y_pred, sample_weight)
        finally:
            object.__setattr__(self, "n_rows", None)  # a tensor of this trace means nothing in another


class _MeanOverRows(keras.metrics.Mean):
    """The mean of values of batches, each as heavy as its batch has rows."""

    def update_state(self, values, sample_weight=None):
        return super().update_state(values, sample_weight=self.loss.n_rows)
