"""Texts as sequences of token ids.

Words are split by a regular expression and subwords learned by byte pair encoding, here rather than by a library:
each distinct word is looked at once, which is faster than the compiled tokenizers that look at each occurrence, and
the same rows give the same vocabulary in every process.
"""

import heapq
import re
import sys
import unicodedata
from collections import Counter, defaultdict
from functools import lru_cache
from itertools import chain, pairwise

#: Ids that stand for no token of the vocabulary; 0 fills up the end of a sequence.
PADDING, UNKNOWN, SEPARATOR, RESERVED = 0, 1, 2, 3

#: Words with their inner apostrophes, and every other sign by itself.
_WORD = re.compile(r"\w+(?:'\w+)*|[^\w\s]")

#: Stands in front of the first character of a word, so that subwords tell where words begin.
_BEGIN = "▁"


class Vocabulary:
    """Token ids of texts, learned from texts.

    Parameters
    ----------
    tokens : {"word", "char", "subword"}
        What a token is.
    max_tokens : int
        Ids at most, with the three that stand for padding, unknown tokens and the end of a column.
    min_frequency : int
        Tokens that occur less often are unknown; subwords that would are not formed.
    lowercase : bool
        Whether case is ignored.

    Attributes
    ----------
    tokens_ : list of str
        The tokens in the order of their ids, which begin at 3: frequent ones first.
    has_unknown_ : bool
        Whether a text that was learned from holds a token outside the vocabulary. Where none does, nothing could be
        learned about such tokens, and they are left out of sequences.
    """

    def __init__(self, tokens, max_tokens, min_frequency, lowercase):
        self.tokens = tokens
        self.max_tokens = max_tokens
        self.min_frequency = min_frequency
        self.lowercase = lowercase

    def fit(self, texts):
        """Learn the vocabulary.

        Parameters
        ----------
        texts : list of str

        Returns
        -------
        self : Vocabulary
        """
        counts = Counter(chain.from_iterable(map(self._pieces, texts)))
        self._merges = {}
        if self.tokens == "subword":
            merges, counts = learn_merges(counts, self.max_tokens - RESERVED, self.min_frequency)
            self._merges = {pair: rank for rank, pair in enumerate(merges)}
        frequent = [token for token, count in counts.items() if count >= self.min_frequency]
        # By frequency, then by themselves: no order of the rows changes the ids.
        frequent.sort(key=lambda token: (-counts[token], token))
        self.tokens_ = frequent[: self.max_tokens - RESERVED]
        self._ids = {token: number for number, token in enumerate(self.tokens_, RESERVED)}
        self.has_unknown_ = len(self.tokens_) < len(counts)
        return self

    def encode(self, texts):
        """Return the ids of texts.

        Parameters
        ----------
        texts : list of str

        Returns
        -------
        sequences : list of list of int
        """
        unknown = UNKNOWN if self.has_unknown_ else None
        if self.tokens == "subword":
            of_word = _Remembered(lambda word: [self._ids.get(piece, unknown) for piece in self._subwords(word)])
            found = (chain.from_iterable(map(of_word.__getitem__, self._pieces(text))) for text in texts)
        else:
            found = ((self._ids.get(piece, unknown) for piece in self._pieces(text)) for text in texts)
        return [[number for number in numbers if number] for numbers in found]

    def _pieces(self, text):
        return _pieces(text, self.tokens == "char", self.lowercase)

    def _subwords(self, word):
        """Return the subwords of a word, by the merges in the order in which they were learned."""
        symbols = _symbols(word)
        while len(symbols) > 1:
            best = min(pairwise(symbols), key=lambda pair: self._merges.get(pair, len(self._merges)))
            if best not in self._merges:
                break
            symbols = _merged(symbols, best)
        return symbols


# Folds and branches read the same texts again and again.
@lru_cache(maxsize=2**15)
def _pieces(text, characters, lowercase):
    """Return the characters or words of a text."""
    text = unicodedata.normalize("NFC", text)
    if lowercase:
        text = text.lower()
    if characters:
        return " ".join(text.split())
    return tuple(map(sys.intern, _WORD.findall(text.replace("\u2019", "'"))))  # apostrophes are often set as quotes


class _Remembered(dict):
    """Results of a function by its argument."""

    def __init__(self, function):
        self._function = function

    def __missing__(self, key):
        self[key] = result = self._function(key)
        return result


def learn_merges(word_counts, n_tokens, min_frequency):
    """Learn subwords by byte pair encoding: the most frequent pair of neighbours becomes one symbol, again and again.

    Parameters
    ----------
    word_counts : dict of str to int
    n_tokens : int
        Characters and merges at most.
    min_frequency : int
        Pairs that occur less often are not merged.

    Returns
    -------
    merges : list of (str, str) tuples
    counts : collections.Counter of str to int
        How often each subword occurs in the words as they are split by these merges.

    References
    ----------
    .. [1] Sennrich, R., Haddow, B. and Birch, A. (2016). "Neural Machine Translation of Rare Words with Subword
           Units". ACL 2016.
    """
    words = {word: _symbols(word) for word in word_counts}
    pairs, holders = Counter(), defaultdict(set)
    for word, symbols in words.items():
        for pair in pairwise(symbols):
            pairs[pair] += word_counts[word]
            holders[pair].add(word)
    n_characters = len(set(chain.from_iterable(words.values())))
    queue = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(queue)
    merges = []
    while queue and len(merges) + n_characters < n_tokens:
        count, pair = heapq.heappop(queue)
        if -count != pairs[pair]:  # has become rarer since it was put there
            heapq.heappush(queue, (-pairs[pair], pair))
            continue
        if -count < min_frequency:
            break
        merges.append(pair)
        symbol = "".join(pair)
        fresh = set()
        for word in holders.pop(pair):
            for neighbours in pairwise(words[word]):
                pairs[neighbours] -= word_counts[word]
            words[word] = _merged(words[word], pair)
            for neighbours in pairwise(words[word]):
                pairs[neighbours] += word_counts[word]
                if symbol in neighbours:  # the word was known to hold the others
                    holders[neighbours].add(word)
                    fresh.add(neighbours)
        for neighbours in fresh:
            heapq.heappush(queue, (-pairs[neighbours], neighbours))
    counts = Counter()
    for word, symbols in words.items():
        for symbol in symbols:
            counts[symbol] += word_counts[word]
    return merges, counts


def _symbols(word):
    return [_BEGIN + word[0], *word[1:]]


def _merged(symbols, pair):
    """Return symbols with each occurrence of a pair, from the left, as one."""
    merged = []
    for symbol in symbols:
        if merged and (merged[-1], symbol) == pair:
            merged[-1] += symbol
        else:
            merged.append(symbol)
    return merged
