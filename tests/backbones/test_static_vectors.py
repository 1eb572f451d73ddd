"""Means of static vectors of tokens."""

import numpy as np
from _bert import tokenizer

from skstack.backbones._static_vectors import StaticVectors

TABLE = np.arange(30.0, dtype="float32").reshape(15, 2)


def _vectors(table=TABLE, text=None):
    return StaticVectors(text or tokenizer().to_str(), table)


def test_features_are_means_without_marks():
    red, hat = TABLE[4], TABLE[5]
    np.testing.assert_array_equal(_vectors().features(["red hat hat", "hat", ""]), [(red + 2 * hat) / 3, hat, [0, 0]])
    np.testing.assert_array_equal(_vectors().features(["red hat hat"], 2), [(red + hat) / 2])


def test_long_texts_are_read_to_their_end():
    assert _vectors().features(["red " * 40 + "hat " * 40])[0, 0] == (TABLE[4, 0] + TABLE[5, 0]) / 2


def test_fingerprints_tell_tables_apart():
    prints = [_vectors().fingerprint, _vectors(TABLE + 1).fingerprint, _vectors(TABLE.reshape(10, 3)).fingerprint]
    assert len({*prints, _vectors().fingerprint}) == 3
    assert not _vectors().is_trainable
