"""Losses and metrics of networks whose members share weights, which in training predict once for each member."""

from .._backend import keras
from ._losses import per_row
from ._metrics import MetricAround, as_metric

ops = keras.ops


class LossOfMembers(keras.losses.Loss):
    """The mean of the losses of the members, rather than the loss of their mean; see arXiv 2410.24210.

    Parameters
    ----------
    loss : keras.losses.Loss or callable
    """

    def __init__(self, loss):
        reduction, dtype = getattr(loss, "reduction", "sum_over_batch_size"), getattr(loss, "dtype", None)
        super().__init__(reduction=reduction, dtype=dtype)
        self._per_row = per_row(loss)

    def call(self, y_true, y_pred):
        if len(y_pred.shape) == 2:
            return self._per_row(y_true, y_pred)
        n_members = y_pred.shape[1]
        y_true = ops.repeat(ops.expand_dims(y_true, 1), n_members, axis=1)
        rows = [ops.reshape(y, (-1, y.shape[-1])) for y in (y_true, y_pred)]
        values = self._per_row(*rows)
        return ops.mean(ops.reshape(values, (-1, n_members, *values.shape[1:])), axis=1)


class MetricOfMean(MetricAround):
    """Another metric, of the mean of the members.

    Parameters
    ----------
    metric : keras.metrics.Metric
    """

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Take note of a batch."""
        y_pred = ops.convert_to_tensor(y_pred)
        mean = ops.mean(y_pred, axis=1) if len(y_pred.shape) == 3 else y_pred
        self.metric.update_state(y_true, mean, sample_weight=sample_weight)


def of_mean(metrics):
    """Return metrics of the mean of the members.

    Parameters
    ----------
    metrics : list of str, keras.metrics.Metric or callable
        Of names, those that stand for one metric whatever the shapes.

    Returns
    -------
    metrics : list of MetricOfMean
    """
    return [MetricOfMean(as_metric(metric)) for metric in metrics]
