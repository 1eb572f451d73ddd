"""Columns of texts as arrays of token ids."""

import numpy as np
import pandas as pd
import pytest

from skstack._backend import keras
from skstack.branches._text_columns import columns_of, concatenated, joined_texts, length_of, side_by_side, texts_of
from skstack.reading._token_ids import TokenIds


def test_texts_of_columns_and_of_rows():
    X = pd.DataFrame({"title": ["hat", None, " "], "text": ["red\nhat", "old", np.nan]}, dtype=object)
    assert texts_of(X) == [["hat", "", " "], ["red\nhat", "old", ""]]
    assert joined_texts(X) == [["hat\nred\nhat", "old", ""]]
    with pytest.raises(TypeError, match="column 'text' holds 3 in row 0, where a text was expected"):
        texts_of(pd.DataFrame({"text": [3]}))


@pytest.mark.parametrize(("weight", "expected"), [(None, 8), (np.array([1.0, 1.0, 0.01]), 3)])
def test_a_length_covers_most_rows(weight, expected):
    assert length_of(TokenIds.of([[1] * 3, [1], [1] * 7]), weight) == expected


def test_columns_stand_side_by_side_and_are_found_again():
    parts = [TokenIds.of([[1, 2], [3]]), TokenIds.of([[4], [5, 6, 7]])]
    array = side_by_side(parts, (1, 2))
    assert array.tolist() == [[1, 4, 0], [3, 5, 6]]
    assert [part.tolist() for part in columns_of(array, (1, 2))] == [[[1], [3]], [[4, 0], [5, 6]]]
    assert next(columns_of(array, (3,))) is array


def test_vectors_of_columns_become_one():
    one, other = keras.Input((2,)), keras.Input((3,))
    assert concatenated([one]) is one
    assert concatenated([one, other]).shape == (None, 5)
