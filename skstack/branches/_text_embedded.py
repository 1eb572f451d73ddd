"""Texts as features of a model that stays as it is."""

import numpy as np
from sklearn.base import clone

from ..backbones._text_features import FrozenModel, text_features
from ..backbones._text_loading import load_text_encoder
from ._text_columns import joined_texts, texts_of
from ._text_reading import TextReading

#: Deviations below this are taken for those of a feature that never changes.
_NO_DEVIATION = 1e-6


class Embedded(TextReading):
    """Features by a `TextEmbedder`, which fills in single missing cells as it does elsewhere."""

    dtype = "float32"

    def fit(self, X, sample_weight):
        """Learn what the embedder learns."""
        texts_of(X)  # says which cell is none
        self.embedder = clone(self.settings.embedder)
        self.cell_shape = self.embedder.fit_transform(X).shape[1:]

    def learned(self):
        """Return the public attributes of the fitted branch, by name."""
        return {"embedder_": self.embedder}

    def encode(self, X):
        """Return the features of rows."""
        texts_of(X)
        return np.asarray(self.embedder.transform(X), dtype="float32")

    def features(self, inputs):
        """Return the features as they are."""
        return inputs

    def assign_statistics(self, model):
        """Write nothing: there are no layers."""

    def is_encoded_like(self, other):
        """Return False: the means that stand for single missing cells may differ."""
        return False

    def is_built_like(self, other):
        """Tell whether another one has as many features."""
        return self.cell_shape == other.cell_shape


class FrozenEncoder(TextReading):
    """Features by a pretrained encoder, standardised by those of the training rows in the network."""

    dtype = "float32"

    def fit(self, X, sample_weight):
        """Learn means and deviations of the features."""
        encoder = load_text_encoder(self.settings.encoder)
        self.fingerprint = encoder.fingerprint
        features = self._features(X, encoder)
        self.cell_shape = features.shape[1:]
        self.statistics = _mean_and_deviation(features, sample_weight)

    def encode(self, X):
        """Return the features of rows, NaN for a text that is missing beside others."""
        return self._features(X, load_text_encoder(self.settings.encoder, self.fingerprint))

    def _features(self, X, encoder):
        columns = joined_texts(X) if self.settings.join else texts_of(X)
        model = FrozenModel(encoder, self.settings.max_length)
        return np.concatenate([_of_column(texts, self.settings.prefix, model) for texts in columns], axis=1)

    def features(self, inputs):
        """Return the standardised features."""
        from ._layers import Standardize

        return Standardize(flags=False, name="standardize")(inputs)

    def assign_statistics(self, model):
        """Write means and deviations into the layer that standardises."""
        mean, deviation = self.statistics
        model.get_layer("standardize").assign_statistics(mean, mean, deviation, np.zeros_like(mean))

    def is_encoded_like(self, other):
        """Tell whether another one has the same encoder and as many columns."""
        return self.fingerprint == other.fingerprint and self.cell_shape == other.cell_shape

    def is_built_like(self, other):
        """Tell whether another one has as many features."""
        return self.cell_shape == other.cell_shape


def _of_column(texts, prefix, model):
    """Return the features of a column, NaN where there is no text."""
    there = [row for row, text in enumerate(texts) if text.strip()]
    features = np.full((len(texts), model.n_features), np.nan, dtype="float32")
    if there:
        features[there] = text_features([prefix + texts[row] for row in there], model)
    return features


def _mean_and_deviation(features, sample_weight):
    """Return mean and deviation of each feature over the rows that have it; 0 and 1 where none tells them."""
    there = ~np.isnan(features)
    weight = there * (np.ones(len(features)) if sample_weight is None else sample_weight)[:, np.newaxis]
    total = np.maximum(weight.sum(axis=0), np.finfo("float64").tiny)
    filled = np.where(there, features, 0).astype("float64")
    mean = (weight * filled).sum(axis=0) / total
    deviation = np.sqrt((weight * (filled - mean) ** 2).sum(axis=0) / total)
    return mean.astype("float32"), np.where(deviation > _NO_DEVIATION, deviation, 1).astype("float32")
