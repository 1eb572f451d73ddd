"""Texts through a pretrained encoder that is a part of the network and trained further."""

import numpy as np

from ..backbones._text_encoder import loaded_tokenizer, token_ids
from ..backbones._text_loading import load_text_encoder
from ..training._trainable import set_all_trainable, set_trainable
from ._text_columns import columns_of, concatenated, joined_texts, length_of, side_by_side, texts_of
from ._text_reading import TextReading


class TunedEncoder(TextReading):
    """Token ids of a pretrained encoder, and its layers in the network: one encoder for all columns."""

    dtype = "int32"

    def fit(self, X, sample_weight):
        """Learn how long texts are."""
        encoder = load_text_encoder(self.settings.encoder)
        if not encoder.is_trainable:
            raise ValueError(
                f"the encoder {self.settings.encoder!r} is a table of static vectors, which is not trained: leave "
                "'trainable' and 'adapter_rank' at None."
            )
        # Rows are encoded without the encoder's files: a saved network needs nothing else.
        self.tokenizer, self.fingerprint = encoder.tokenizer, encoder.fingerprint
        self.max_length = min(self.settings.max_length or encoder.max_length, encoder.max_length)
        sequences = self._sequences(X)
        self.lengths = tuple(min(self.max_length, length_of(part, sample_weight)) for part in sequences)
        self.cell_shape = (sum(self.lengths),)

    def learned(self):
        """Return the public attributes of the fitted branch, by name."""
        return {"lengths_": self.lengths}

    def encode(self, X):
        """Return the ids of rows."""
        return side_by_side(self._sequences(X), self.lengths)

    def _sequences(self, X):
        prefix, columns = self.settings.prefix, joined_texts(X) if self.settings.join else texts_of(X)
        return [
            token_ids(self.tokenizer, [prefix + text if text.strip() else "" for text in column], self.max_length)
            for column in columns
        ]

    def features(self, inputs):
        """Return the feature vectors of symbolic ids, those of the columns side by side."""
        from ..backbones._bert_layers import PoolTokens
        from ._backbone_layers import TrainedFurther

        settings, encoder = self.settings, load_text_encoder(self.settings.encoder, self.fingerprint)
        trunk = encoder.model.build(settings.adapter_rank)
        layer = TrainedFurther(trunk, settings.encoder_learning_rate, name="pretrained")
        pool = PoolTokens(encoder.pooling, encoder.normalize, name="pool")
        return concatenated([pool([layer(ids), ids]) for ids in columns_of(inputs, self.lengths)])

    # --- inspection -------------------------------------------------------------------------------------------------

    attributed_layers = ("pretrained/embeddings/words",)

    def sum_over_parts(self, attributions, encoded):
        """See TextReading: the encoder is called for each column."""
        return np.concatenate([given.sum(axis=-1) for given in attributions[0]], axis=1)

    def token_names(self, encoded):
        """See TextReading."""
        vocabulary = loaded_tokenizer(self.tokenizer)
        names = {int(index): vocabulary.id_to_token(int(index) - 1) for index in np.unique(encoded) if index}
        return np.array([[names.get(index, "") for index in row] for row in np.asarray(encoded).tolist()], dtype=object)

    def pretrained_layer(self, model):
        """Return the layers of the encoder."""
        return model.get_layer("pretrained").model

    def assign_statistics(self, model):
        """Write nothing: the layers hold the encoder's weights from the beginning."""

    def freeze(self, model):
        """Set which layers are trained, or which have their adapters trained and stay as they are."""
        trunk, trainable, rank = self.pretrained_layer(model), self.settings.trainable, self.settings.adapter_rank
        set_trainable(trunk, True if trainable is None else trainable)
        if rank is None:
            return
        for layer in trunk.layers:
            if layer.trainable and hasattr(layer, "train_adapters_only"):
                layer.train_adapters_only()
            else:
                set_all_trainable(layer, False)

    def is_encoded_like(self, other):
        """Tell whether another one has the same encoder and lengths."""
        return self.is_built_like(other)

    def is_built_like(self, other):
        """Tell whether another one has the same encoder and lengths."""
        return (self.fingerprint, self.lengths) == (other.fingerprint, other.lengths)
