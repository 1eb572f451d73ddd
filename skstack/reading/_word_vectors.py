"""Pretrained vectors of tokens."""

import gzip
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def find_vectors(source, tokens):
    """Return the pretrained vectors of tokens.

    Parameters
    ----------
    source : str, path-like or mapping of str to array-like of shape (n,)
        A text file with a token and its n numbers per line, as word2vec and GloVe write it, with or without a first
        line that holds the sizes, or the same compressed (``.gz``); or the vectors themselves.
    tokens : collection of str

    Returns
    -------
    vectors : dict of str to ndarray of shape (n,), dtype float32
        Of the tokens that have one.

    Raises
    ------
    ValueError
        If no token has a vector, or vectors differ in length.
    FileNotFoundError
        If there is no such file.
    """
    if isinstance(source, Mapping):
        vectors = {token: np.asarray(source[token], dtype="float32") for token in tokens if token in source}
        name = "the given mapping"
    else:
        vectors = _read(Path(source).expanduser(), set(tokens))
        name = f"file {str(source)!r}"
    if not vectors:
        raise ValueError(f"none of the {len(tokens)} tokens of the training rows has a vector in {name}.")
    shapes = {vector.shape for vector in vectors.values()}
    if len(shapes) > 1 or len(next(iter(shapes))) != 1:
        raise ValueError(f"vectors should be one-dimensional and of one length, got {sorted(shapes)} in {name}.")
    return vectors


def _read(path, tokens):
    """Return the vectors of some tokens from a file, of which no more is kept in memory."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file of vectors {str(path)!r}.")
    wanted = {token.encode(): token for token in tokens}
    vectors, length = {}, None
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
        for index, line in enumerate(lines):
            first, *rest = line.split(None, 1) or [b""]
            if length is None:
                length = len(rest[0].split()) if rest else 0
                if index == 0 and length == 1:
                    length = None  # the line says how many vectors there are, and how long they are
                    continue
            if first in wanted:  # only then the numbers are looked at, of which there may be hundreds of millions
                fields = rest[0].split() if rest else []
                if len(fields) <= length:  # otherwise the token goes on behind a blank, as no token of ours does
                    vectors.setdefault(wanted[first], _numbers(fields, length, path, index + 1))
    return vectors


def _numbers(fields, length, path, line):
    try:
        numbers = np.array(fields, dtype="float32")
    except ValueError:
        numbers = np.empty(0)
    if len(numbers) != length or not np.isfinite(numbers).all():
        raise ValueError(f"line {line} of {str(path)!r} holds no vector of {length} numbers.")
    return numbers
