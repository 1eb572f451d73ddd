"""Texts split at blanks, with each different piece once: a loop over all of them would be a loop in Python."""

import numpy as np
import pyarrow as pa

#: Texts that are split at a time, which bounds the memory.
_BLOCK = 2**13

#: Which bytes are blanks; those of more than one byte are replaced by one of these.
_BLANK = np.zeros(256, dtype=bool)
_BLANK[[code for code in range(128) if chr(code).isspace()]] = True


def split_at_blanks(texts):
    """Split texts as ``str.split`` does.

    Parameters
    ----------
    texts : list of str

    Returns
    -------
    chunks : list of str
        The different pieces; runs of blanks, which are in no text, may be among them.
    indices : ndarray of int
        Positions in `chunks` of the pieces of all texts, one behind the other.
    n_chunks : ndarray of int of shape (n_texts,)
        How many there are of each text.
    """
    positions, parts, n_chunks = {}, [np.empty(0, dtype=int)], [np.empty(0, dtype=int)]
    for start in range(0, len(texts), _BLOCK):
        different, indices, n_of_block = _split(texts[start : start + _BLOCK])
        of_all = [positions.setdefault(chunk, len(positions)) for chunk in different]
        parts.append(np.array(of_all, dtype=int)[indices])
        n_chunks.append(n_of_block)
    chunks = [chunk.decode("utf-8", "surrogatepass") for chunk in positions]
    return chunks, np.concatenate(parts), np.concatenate(n_chunks)


def _split(texts):
    encoded = [text.encode() if text.isascii() else _with_plain_blanks(text) for text in texts]
    data = np.frombuffer(b"\n".join([*encoded, b""]), dtype="uint8")
    blank = _BLANK[data]
    edges = np.flatnonzero(blank[1:] != blank[:-1]) + 1
    # Pieces and runs of blanks take turns.
    offsets = np.concatenate([[0], edges, [len(data)]]).astype("int64")
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    runs = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(offsets) - 1, buffers).dictionary_encode()
    first = int(blank[0])
    starts = offsets[:-1][first::2]
    ends_of_texts = np.cumsum([len(text) + 1 for text in encoded])
    n_chunks = np.diff(np.searchsorted(starts, ends_of_texts), prepend=0)
    return runs.dictionary.to_pylist(), runs.indices.to_numpy()[first::2], n_chunks


def _with_plain_blanks(text):
    return " ".join(text.split()).encode("utf-8", "surrogatepass")
