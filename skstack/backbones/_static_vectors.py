"""Encoders of texts that look up a vector for each token and take their mean."""

from functools import cached_property

import numpy as np

from ._text_encoder import digest, loaded_tokenizer


class StaticVectors:
    """A table of vectors of tokens with its tokenizer.

    Parameters
    ----------
    tokenizer : str
        Content of tokenizer.json.
    vectors : ndarray of shape (n_tokens, n_features)
    """

    #: Whether its layers can be trained further.
    is_trainable = False

    def __init__(self, tokenizer, vectors):
        self.tokenizer = tokenizer
        self.vectors = vectors

    @property
    def n_features(self):
        """Number of features of a text."""
        return self.vectors.shape[1]

    @cached_property
    def fingerprint(self):
        """Bytes that are the same for encoders that compute the same."""
        return digest(self.tokenizer, self.vectors.shape, self.vectors.tobytes())

    def features(self, texts, max_length=None):
        """Return the mean of the vectors of the tokens of each text.

        Parameters
        ----------
        texts : list of str
        max_length : int, default=None
            Tokens that are read of each; all by default.

        Returns
        -------
        features : ndarray of shape (n, n_features), dtype float32
            0 for a text without tokens.
        """
        tokenizer = loaded_tokenizer(self.tokenizer)
        features = np.zeros((len(texts), self.n_features), dtype="float32")
        for row, encoding in enumerate(tokenizer.encode_batch_fast(texts, add_special_tokens=False)):
            if encoding.ids:
                features[row] = self.vectors[encoding.ids[:max_length]].mean(axis=0, dtype="float32")
        return features
