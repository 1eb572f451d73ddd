"""Texts split at blanks."""

import numpy as np
import pytest

from skstack.reading import _chunks
from skstack.reading._chunks import split_at_blanks

TEXTS = ["a fine\tday", "", " a ", "caf\u00e9 \u3000 day", "\x1c\x85", "\ud800 fine", "x" * 300, "\n"]


def _split(texts):
    chunks, indices, n_chunks = split_at_blanks(texts)
    pieces = [chunks[index] for index in indices]
    ends = np.cumsum(n_chunks)
    return [pieces[end - n : end] for end, n in zip(ends, n_chunks, strict=True)]


@pytest.mark.parametrize("block", [1, 3, 100])
@pytest.mark.parametrize("texts", [TEXTS, TEXTS[::-1], ["", ""], ["a"], []])
def test_texts_are_split_as_python_splits_them(texts, block, monkeypatch):
    monkeypatch.setattr(_chunks, "_BLOCK", block)
    assert _split(texts) == [text.split() for text in texts]


def test_every_blank_of_unicode_splits():
    text = "".join(f"a{chr(code)}b" for code in range(0x11000) if not 0xD800 <= code < 0xE000)
    assert _split([text]) == [text.split()]


def test_a_piece_is_there_once(monkeypatch):
    monkeypatch.setattr(_chunks, "_BLOCK", 1)
    chunks, indices, _ = split_at_blanks(["the hat", "the red hat", "red"])
    assert sorted(chunk for chunk in chunks if chunk.strip()) == ["hat", "red", "the"]
    assert len(indices) == 6
