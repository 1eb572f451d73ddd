"""Metrics of targets that some rows lack."""

from .._backend import keras

ops = keras.ops


class MetricAround(keras.metrics.Metric):
    """Another metric, which is told something else of each batch.

    Parameters
    ----------
    metric : keras.metrics.Metric
    """

    def __init__(self, metric):
        super().__init__(name=metric.name)
        self.metric = metric

    def reset_state(self):
        """Forget all batches."""
        self.metric.reset_state()

    def result(self):
        """Return the value since the last reset."""
        return self.metric.result()


class OfPresent(MetricAround):
    """Another metric, of the targets that are there: those whose weight in the loss is not 0.

    Parameters
    ----------
    metric : keras.metrics.Metric
    """

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Take note of a batch; several targets of a row count as rows of one each."""
        if sample_weight is None:
            self.metric.update_state(y_true, y_pred)
            return
        there = ops.cast(ops.convert_to_tensor(sample_weight) > 0, "float32")
        if len(there.shape) == 2:
            y_true, y_pred, there = (ops.reshape(part, (-1, 1)) for part in (y_true, y_pred, there))
        self.metric.update_state(y_true, y_pred, sample_weight=ops.reshape(there, (-1,)))


def of_present(metrics):
    """Return metrics that leave missing targets out.

    Parameters
    ----------
    metrics : list of str, keras.metrics.Metric or callable
        Of names, those that stand for one metric whatever the shapes.

    Returns
    -------
    metrics : list of OfPresent
    """
    return [OfPresent(as_metric(metric)) for metric in metrics]


def as_metric(metric):
    """Return a Keras metric, given by its name, as a function or itself."""
    found = keras.metrics.get(metric)
    if isinstance(found, keras.metrics.Metric):
        return found
    return keras.metrics.MeanMetricWrapper(found, name=getattr(found, "__name__", "metric"))


#: Names for which Keras chooses a metric by the shape of target and output, and how those end that it chooses from.
_BY_SHAPE = {"accuracy": "Accuracy", "acc": "Accuracy", "crossentropy": "Crossentropy", "ce": "Crossentropy"}


def of_classes(metric, kind):
    """Return a metric of classes; one of those that Keras chooses by shapes is chosen.

    Parameters
    ----------
    metric : str, keras.metrics.Metric or callable
    kind : {"Binary", "Categorical", "SparseCategorical"}
        How classes are encoded.
    """
    if not isinstance(metric, str) or metric not in _BY_SHAPE:
        return metric
    return getattr(keras.metrics, kind + _BY_SHAPE[metric])(name=metric)
