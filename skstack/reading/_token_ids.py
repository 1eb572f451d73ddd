"""Sequences of token ids of different lengths."""

import numpy as np


class TokenIds:
    """Sequences of token ids, one behind the other.

    Parameters
    ----------
    flat : ndarray of int32
        The ids of all sequences.
    lengths : array-like of int of shape (n_sequences,)
    """

    def __init__(self, flat, lengths):
        self.flat = flat
        self.lengths = np.asarray(lengths, dtype=int)

    @classmethod
    def of(cls, sequences):
        """Return sequences that are lists of ids."""
        lengths = [len(ids) for ids in sequences]
        return cls(np.fromiter((index for ids in sequences for index in ids), "int32", count=sum(lengths)), lengths)

    def __len__(self):
        return len(self.lengths)

    def tolist(self):
        """Return a list of ids for each sequence."""
        return [part.tolist() for part in np.split(self.flat, np.cumsum(self.lengths)[:-1])] if len(self) else []

    @property
    def _starts(self):
        return np.cumsum(self.lengths) - self.lengths

    @property
    def _places(self):
        """Place of each id in its sequence."""
        return np.arange(len(self.flat)) - np.repeat(self._starts, self.lengths)

    def without(self, token_id):
        """Return the sequences without one of the ids."""
        kept = self.flat != token_id
        before = np.concatenate([[0], np.cumsum(kept)])
        return TokenIds(self.flat[kept], before[self._starts + self.lengths] - before[self._starts])

    def take(self, indices, n_each):
        """Return sequences that are made of some of these, one behind the other.

        Parameters
        ----------
        indices : array-like of int
            Positions of sequences.
        n_each : list of int
            How many of them make up each of the new sequences.
        """
        indices = np.asarray(indices, dtype=int)
        lengths = self.lengths[indices]
        ends = np.cumsum(lengths)
        source = np.arange(lengths.sum()) + np.repeat(self._starts[indices] - (ends - lengths), lengths)
        ends_of_new = np.concatenate([[0], ends])[np.cumsum(n_each, dtype=int)]
        return TokenIds(self.flat[source], np.diff(ends_of_new, prepend=0))

    def divided(self, n_parts):
        """Return the sequences in so many parts of equal numbers."""
        ends = np.cumsum([lengths.sum() for lengths in np.split(self.lengths, n_parts)])
        flat = np.split(self.flat, ends[:-1])
        return [TokenIds(*part) for part in zip(flat, np.split(self.lengths, n_parts), strict=True)]

    def padded(self, length):
        """Return the sequences as an array of shape (n_sequences, length), cut there or filled up with 0."""
        filled = np.zeros((len(self), length), dtype="int32")
        places = self._places
        kept = places < length
        filled[np.repeat(np.arange(len(self)), self.lengths)[kept], places[kept]] = self.flat[kept]
        return filled


def joined(parts, separator):
    """Return the sequences of several columns as one for each row, with an id between them.

    Parameters
    ----------
    parts : list of TokenIds
        Of equal numbers of sequences.
    separator : int

    Returns
    -------
    sequences : TokenIds
    """
    lengths = sum(part.lengths for part in parts) + len(parts) - 1
    flat = np.full(lengths.sum(), separator, dtype="int32")
    starts = np.cumsum(lengths) - lengths
    for part in parts:
        flat[np.repeat(starts, part.lengths) + part._places] = part.flat
        starts = starts + part.lengths + 1
    return TokenIds(flat, lengths)
