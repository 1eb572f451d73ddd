"""How long texts take to become arrays of token ids: the vocabulary is learned from them, then all are encoded.

The peer is the loop that one would write, and that skstack had: a regular expression finds the words of each text, a
dict their ids, and a row of an array takes them. Both give the same array, which the figures of each side show. Texts
are drawn from words as frequent as those of a language, with reviews of clothing in mind.
"""

import re
import unicodedata
from collections import Counter

import numpy as np

from ._comparison import Comparison, warm
from ._job import Job

_WORD = re.compile(r"\w+(?:'\w+)*|[^\w\s]")
_LENGTH, _MAX_TOKENS, _RESERVED, _UNKNOWN = 128, 8192, 3, 1


def make_texts(n_samples, n_words=20_000, seed=0):
    """Return texts of 20 to 100 words, with punctuation, drawn by Zipf's law."""
    generator = np.random.default_rng(seed)
    letters = np.array(list("etaoinshrdlucmwfgypbvk"))
    words = ["".join(generator.choice(letters, length)) for length in generator.integers(2, 10, n_words)]
    words = np.char.add(words, generator.choice(["", "", "", ",", ".", "'s"], n_words))
    weights = 1 / np.arange(1, n_words + 1)
    drawn = [generator.choice(words, n, p=weights / weights.sum()) for n in generator.integers(20, 101, n_samples)]
    return [" ".join(text).capitalize() for text in drawn]


def _described(array):
    return {"sum_of_ids": int(array.sum(dtype="int64"))}


def ours(n_samples):
    import pandas as pd

    from skstack.branches import TextBranch

    X = pd.DataFrame({"text": make_texts(n_samples)})
    return Job(lambda: TextBranch(max_length=_LENGTH).fit(X).encode(X), _described)


def python_loop(n_samples):
    texts = make_texts(n_samples)

    def words_of(text):
        return _WORD.findall(unicodedata.normalize("NFC", text).lower().replace("\u2019", "'"))

    def run():
        counts = Counter(word for text in texts for word in words_of(text))
        frequent = sorted((word for word in counts if counts[word] >= 2), key=lambda word: (-counts[word], word))
        ids = {word: index for index, word in enumerate(frequent[: _MAX_TOKENS - _RESERVED], _RESERVED)}
        encoded = np.zeros((len(texts), _LENGTH), dtype="int32")
        for row, text in zip(encoded, texts, strict=True):
            found = [ids.get(word, _UNKNOWN) for word in words_of(text)][:_LENGTH]
            row[: len(found)] = found
        return encoded

    return Job(run, _described)


COMPARISONS = (
    Comparison(
        name="texts",
        work="TextBranch learns a vocabulary from {n_samples:,} texts and encodes them",
        peer="the same by a loop in Python",
        ours_job="bench_texts:ours",
        peer_job="bench_texts:python_loop",
        figures=(warm(at_least=3),),
        full={"n_samples": 20_000},
        quick={"n_samples": 200},
        peer_runs=2,
    ),
)
