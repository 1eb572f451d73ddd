"""Texts as sequences of token ids.

Words are split by a regular expression; subwords are learned and applied by the tokenizers library, each distinct word
once.
"""

import re
import sys
import unicodedata
from collections import Counter
from functools import cache, lru_cache
from itertools import chain

#: Ids that stand for no token of the vocabulary; 0 fills up the end of a sequence.
PADDING, UNKNOWN, SEPARATOR, RESERVED = 0, 1, 2, 3

#: Words with their inner apostrophes, and every other sign by itself.
_WORD = re.compile(r"\w+(?:'\w+)*|[^\w\s]")

#: Characters of a word that subwords are learned from and sought in at a time, with the mark of its beginning: the work
#: grows with the square of that number. Hardly a word of any language is longer.
_MAX_WORD = 100

#: Texts whose pieces are remembered, and characters of one at most: together they bound the memory.
_N_REMEMBERED, _MAX_REMEMBERED = 2**15, 2**11

#: Stands in front of the first character of a word, so that subwords tell where words begin.
_BEGIN = "▁"

#: What the library calls a character that no training row has; no word is written like this.
_NO_SUBWORD = "< >"


class Vocabulary:
    """Token ids of texts, learned from texts.

    Parameters
    ----------
    tokens : {"word", "char", "subword"}
        What a token is. Subwords of a word of more than 99 characters end at its 99th, 199th, 299th, ... at the latest.
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
        counts, self._subword_model = Counter(chain.from_iterable(map(self._pieces, texts))), None
        if self.tokens == "subword":
            self._subword_model = learn_subwords(counts, self.max_tokens - RESERVED, self.min_frequency)
            counts = self._subword_counts(counts)
        frequent = [token for token, count in counts.items() if count >= self.min_frequency]
        # By frequency, then by themselves: no order of the rows changes the ids.
        frequent.sort(key=lambda token: (-counts[token], token))
        self.tokens_ = frequent[: self.max_tokens - RESERVED]
        self._ids = {token: index for index, token in enumerate(self.tokens_, RESERVED)}
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
            ids_of = cache(lambda word: [self._ids.get(piece, unknown) for piece in self._subwords(word)])
            found = (chain.from_iterable(map(ids_of, self._pieces(text))) for text in texts)
        else:
            found = ((self._ids.get(piece, unknown) for piece in self._pieces(text)) for text in texts)
        return [[token_id for token_id in ids if token_id] for ids in found]

    def _pieces(self, text):
        return _pieces(text, self.tokens == "char", self.lowercase)

    def _subword_counts(self, word_counts):
        counts = Counter()
        for word, count in word_counts.items():
            for piece in self._subwords(word):
                counts[piece] += count
        return counts

    def _subwords(self, word):
        """Return the subwords of a word."""
        model = _loaded(self._subword_model).model
        return [token.value for part in _parts(word) for token in model.tokenize(part)]


def _parts(word):
    """Return a word, with the mark of its beginning, in parts that are short enough for the library."""
    word = _BEGIN + word
    return [word[start : start + _MAX_WORD] for start in range(0, len(word), _MAX_WORD)]


def _pieces(text, characters, lowercase):
    """Return the characters or words of a text."""
    split = _remembered_pieces if len(text) <= _MAX_REMEMBERED else _remembered_pieces.__wrapped__
    return split(text, characters, lowercase)


# Folds and branches read the same texts again and again.
@lru_cache(maxsize=_N_REMEMBERED)
def _remembered_pieces(text, characters, lowercase):
    text = unicodedata.normalize("NFC", text)
    if lowercase:
        text = text.lower()
    if characters:
        return " ".join(text.split())
    return tuple(map(sys.intern, _WORD.findall(text.replace("\u2019", "'"))))  # apostrophes are often set as quotes


def learn_subwords(word_counts, n_tokens, min_frequency):
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
    model : str
        The tokenizer that the library learned, as JSON.

    References
    ----------
    .. [1] Sennrich, R., Haddow, B. and Birch, A. (2016). "Neural Machine Translation of Rare Words with Subword
           Units". ACL 2016.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=_NO_SUBWORD))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=n_tokens + 1, min_frequency=min_frequency, special_tokens=[_NO_SUBWORD], show_progress=False
    )
    counts = Counter()
    for word, count in word_counts.items():
        for part in _parts(word):
            counts[part] += count
    # In an order of their own, so that the order of the rows means nothing.
    tokenizer.train_from_iterator(((part + " ") * count for part, count in sorted(counts.items())), trainer)
    return tokenizer.to_str()


@lru_cache(maxsize=16)
def _loaded(model):
    from tokenizers import Tokenizer

    return Tokenizer.from_str(model)
