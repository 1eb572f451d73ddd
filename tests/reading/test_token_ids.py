"""Sequences of token ids of different lengths."""

import numpy as np
import pytest

from skstack.reading._token_ids import TokenIds, joined

LISTS = [[3, 4, 5], [], [6], [7, 0, 8, 9]]


def _sequences(lists=LISTS):
    return TokenIds.of(lists)


@pytest.mark.parametrize("lists", [LISTS, [[], []], [], [[1]]])
def test_lists_come_back(lists):
    sequences = _sequences(lists)
    assert sequences.tolist() == lists
    assert len(sequences) == len(lists)
    assert sequences.flat.dtype == "int32"


def test_padded_to_a_length():
    assert _sequences().padded(2).tolist() == [[3, 4], [0, 0], [6, 0], [7, 0]]
    assert _sequences().padded(5).tolist()[0] == [3, 4, 5, 0, 0]
    assert _sequences([]).padded(2).shape == (0, 2)


def test_an_id_can_be_left_out():
    assert _sequences().without(0).tolist() == [[3, 4, 5], [], [6], [7, 8, 9]]
    assert _sequences([[0, 0], [0]]).without(0).tolist() == [[], []]


@pytest.mark.parametrize(
    ("indices", "n_each", "expected"),
    [
        ([2, 0, 3, 1], [2, 0, 2], [[6, 3, 4, 5], [], [7, 0, 8, 9]]),
        ([1, 1], [1, 1], [[], []]),
        ([], [0, 0], [[], []]),
        ([], [], []),
    ],
)
def test_new_sequences_are_made_of_others(indices, n_each, expected):
    assert _sequences().take(indices, n_each).tolist() == expected


def test_columns_are_joined_with_an_id_between_them():
    parts = [_sequences(), _sequences(LISTS[::-1]), _sequences([[1]] * 4)]
    expected = [[*a, 2, *b, 2, 1] for a, b in zip(LISTS, LISTS[::-1], strict=True)]
    assert joined(parts, 2).tolist() == expected
    np.testing.assert_array_equal(joined(parts[:1], 2).flat, parts[0].flat)


def test_columns_one_below_the_other_are_divided():
    assert [part.tolist() for part in _sequences().divided(2)] == [LISTS[:2], LISTS[2:]]
    assert [part.tolist() for part in _sequences().divided(1)] == [LISTS]
    assert [part.tolist() for part in _sequences([]).divided(2)] == [[], []]
