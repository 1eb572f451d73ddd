"""Texts as tokens of a vocabulary that is learned from the training rows."""

from copy import copy

import numpy as np

from ..backbones._text_loading import WORDLLAMA, load_text_encoder
from ..reading._token_ids import joined
from ..reading._tokens import BEGIN, RESERVED, SEPARATOR, Vocabulary
from ..reading._word_vectors import find_vectors
from ._categorical import rounded_up
from ._text_columns import columns_of, concatenated, length_of, side_by_side, texts_of
from ._text_reading import TextReading
from ._token_encoders import BOTH_WAYS, ENCODERS, mean_of_vectors

#: Length of the vectors of tokens where nothing says what it should be.
_DIM = 64


class Tokens(TextReading):
    """Token ids of texts, a table of vectors and an encoder on top."""

    dtype = "int32"

    #: Whether the vectors of single tokens are there, of which else the mean alone may be computed.
    has_single_vectors = False

    def fit(self, X, sample_weight):
        """Learn vocabulary and lengths from training rows."""
        settings, columns = self.settings, texts_of(X)
        lowercase = settings.tokens != "char" if settings.lowercase is None else settings.lowercase
        self.vocabulary = Vocabulary(settings.tokens, settings.max_tokens, settings.min_frequency, lowercase)
        ids = self.vocabulary.fit_encode([text for column in columns for text in column])
        self.n_rows = rounded_up(RESERVED + len(self.vocabulary.tokens_))
        self._fit_vectors()
        sequences = self._read_as_wished(ids.divided(len(columns)))
        self.lengths = tuple(settings.max_length or length_of(part, sample_weight) for part in sequences)
        self.cell_shape = (sum(self.lengths),)
        # Ids that no training row has within this length, and the places that round the table up, are never trained.
        self.trained = np.zeros(self.n_rows, dtype="float32")
        self.trained[side_by_side(sequences, self.lengths)] = 1.0

    def _fit_vectors(self):
        """Find the pretrained vectors of the vocabulary."""
        settings, tokens = self.settings, self.vocabulary.tokens_
        self.vectors, self.dim = None, settings.dim or _DIM
        if settings.vectors is None:
            return
        found = self._found_vectors(tokens)
        self.dim = len(next(iter(found.values())))
        if settings.dim not in (None, self.dim):
            raise ValueError(f"dim={settings.dim} differs from the length of the given vectors, {self.dim}.")
        ids = [index for index, token in enumerate(tokens, RESERVED) if token in found]
        self.vectors = ids, np.stack([found[tokens[index - RESERVED]] for index in ids])

    def _found_vectors(self, tokens):
        if not isinstance(self.settings.vectors, str) or self.settings.vectors != WORDLLAMA:
            return find_vectors(self.settings.vectors, tokens)
        # They were learned so that the first numbers of each are a shorter vector by themselves.
        vectors = load_text_encoder(WORDLLAMA).features([token.removeprefix(BEGIN) for token in tokens])
        return dict(zip(tokens, vectors[:, : self.settings.dim], strict=True))

    def learned(self):
        """Return the public attributes of the fitted branch, by name."""
        return {"vocabulary_": self.vocabulary.tokens_, "lengths_": self.lengths}

    def encode(self, X):
        """Return the ids of rows."""
        parts = [self.vocabulary.encode(column) for column in texts_of(X)]
        return side_by_side(self._read_as_wished(parts), self.lengths)

    def _read_as_wished(self, parts):
        """Return the ids of each text that is read by itself: of the joined columns, or of each."""
        return parts if self.settings.join is False or len(parts) == 1 else [joined(parts, SEPARATOR)]

    def features(self, inputs):
        """Return the feature vector of symbolic ids."""
        from ._text_layers import MeanOfTokenVectors, TokenVectors

        settings = copy(self.settings)
        settings.dim = self.dim
        is_mean = settings.encoder == "mean"
        layer = MeanOfTokenVectors if is_mean and not self.has_single_vectors else TokenVectors
        table = layer(self.n_rows, self.dim, name="vectors")
        encode = mean_of_vectors if self.has_single_vectors and is_mean else ENCODERS[settings.encoder]
        return concatenated(
            [
                encode(settings, ids, table, f"{settings.encoder}_{index}")
                for index, ids in enumerate(columns_of(inputs, self.lengths), 1)
            ]
        )

    # --- inspection -------------------------------------------------------------------------------------------------

    attributed_layers = ("vectors",)

    def in_detail(self):
        """See TextReading."""
        detailed = copy(self)
        detailed.has_single_vectors = True
        return detailed

    def sum_over_parts(self, attributions, encoded):
        """See TextReading: the table is called for each column, and by encoders of both directions once for each."""
        parts = [given.sum(axis=-1) for given in attributions[0]]
        if self.settings.encoder in BOTH_WAYS:
            ids = columns_of(encoded, self.lengths)
            ways = zip(parts[::2], parts[1::2], ids, strict=True)
            parts = [forward + _turned(backward, of_column) for forward, backward, of_column in ways]
        return np.concatenate(parts, axis=1)

    def token_names(self, encoded):
        """See TextReading."""
        names = np.array(["", "[UNK]", "[SEP]", *self.vocabulary.tokens_], dtype=object)
        return names[np.asarray(encoded)]

    def pretrained_layer(self, model):
        """Return the table of vectors."""
        return model.get_layer("vectors")

    def is_encoded_like(self, other):
        """Tell whether another one has the same vocabulary and lengths."""
        return vars(self.vocabulary) == vars(other.vocabulary) and self.lengths == other.lengths

    def is_built_like(self, other):
        """Tell whether another one has tables and lengths of the same size."""
        return (self.n_rows, self.dim, self.lengths) == (other.n_rows, other.dim, other.lengths)

    def assign_statistics(self, model):
        """Write the pretrained vectors into the table of vectors, and 0 for tokens that no training row trains."""
        weights = model.get_layer("vectors").embeddings
        table = np.asarray(weights) * (np.float32(0) if self.settings.trainable is False else self.trained[:, None])
        if self.vectors is not None:
            ids, vectors = self.vectors
            table[ids] = vectors
        weights.assign(table)


def _turned(values, ids):
    """Return values of tokens that were read from the last one to the first in the order of the text."""
    n_tokens = np.count_nonzero(ids, axis=1)[:, np.newaxis]
    return np.take_along_axis(values, (n_tokens - 1 - np.arange(ids.shape[1])) % ids.shape[1], axis=1)
