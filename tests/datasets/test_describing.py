"""Descriptions of drawn houses."""

import numpy as np
import pytest

from skstack.datasets._describing import describe_house


def _describe(view, renovation, seed=0):
    return describe_house({"view": view, "renovation": renovation}, np.random.default_rng(seed))


def test_the_same_seed_gives_the_same_words():
    assert _describe(0.5, 0.5) == _describe(0.5, 0.5)
    assert len({_describe(0.5, 0.5, seed) for seed in range(9)}) > 5


@pytest.mark.parametrize(("quality", "words"), [(0.0, "road|parking|highway"), (1.0, "ocean|sea|skyline")])
def test_words_tell_how_good_the_view_is(quality, words):
    for seed in range(5):
        assert any(word in _describe(quality, 0.5, seed) for word in words.split("|"))


def test_a_description_is_a_line_of_sentences():
    text = _describe(0.3, 0.7)
    assert "\n" not in text
    assert text.count(".") == 4
