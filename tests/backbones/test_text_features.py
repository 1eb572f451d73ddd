"""Features of columns of texts."""

import numpy as np
import pytest
from _bert import TEXTS, encoder_folder, expected_features

from skstack.backbones._text_features import FrozenModel, text_features
from skstack.backbones._text_loading import load_text_encoder
from skstack.caching import _features

__all__ = ["encoder_folder"]  # a fixture


class Counting:
    """Counts letters, and remembers what it was asked."""

    def __init__(self, features_key=b"letters"):
        self.features_key, self.asked = features_key, []

    def features(self, texts):
        self.asked.append(list(texts))
        return np.array([[text.count(letter) for letter in "abc"] for text in texts], dtype="float32")


MANY = ["abc", "a", "bb", "a", "", "cab cab", "\ud800 a"]


@pytest.mark.parametrize("key", [b"letters", None])
@pytest.mark.parametrize("block", [1, 2, 100])
def test_features_are_those_of_each_text(encoder_folder, key, block):
    model = Counting(key)
    features = text_features(MANY, model, block)
    np.testing.assert_array_equal(features, Counting().features(MANY))
    asked = [text for texts in model.asked for text in texts]
    assert sorted(asked) == sorted(set(MANY))
    assert max(map(len, model.asked)) <= block
    lengths = [len(text) for text in asked]
    assert lengths == sorted(lengths)


def test_features_are_found_again(encoder_folder):
    first, second, third = Counting(), Counting(), Counting(b"others")
    text_features(MANY[:3], first)
    _features._memory.clear()  # as in another process
    np.testing.assert_array_equal(text_features(MANY, second), Counting().features(MANY))
    assert sorted(text for texts in second.asked for text in texts) == sorted(set(MANY[3:]) - {"a"})
    text_features(MANY[:1], third)
    assert third.asked == [MANY[:1]]


def test_the_length_that_is_read_belongs_to_the_key(encoder_folder):
    encoder = load_text_encoder(encoder_folder)
    for max_length in (None, 4, None):
        expected = expected_features(max_length=max_length or 32)
        features = text_features(TEXTS, FrozenModel(encoder, max_length))
        np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5)
    assert (
        FrozenModel(encoder).features_key == FrozenModel(encoder).features_key != FrozenModel(encoder, 4).features_key
    )
