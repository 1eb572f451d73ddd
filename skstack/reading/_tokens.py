"""Texts as sequences of token ids.

Words are split by a regular expression, subwords are learned and applied by the tokenizers library: each distinct word
once, however often it occurs.
"""

import re
import unicodedata
from collections import Counter
from functools import cache, lru_cache
from itertools import chain

import numpy as np

from ._chunks import split_at_blanks
from ._token_ids import TokenIds

#: Ids that stand for no token of the vocabulary; 0 fills up the end of a sequence.
PADDING, UNKNOWN, SEPARATOR, RESERVED = 0, 1, 2, 3

#: Words with their inner apostrophes, and every other sign by itself.
_WORD = re.compile(r"\w+(?:'\w+)*|[^\w\s]")

#: Characters of a word that subwords are learned from and sought in at a time, with the mark of its beginning: the work
#: grows with the square of that number. Hardly a word of any language is longer.
_MAX_WORD = 100

#: Pieces between blanks whose words are remembered, and characters of one at most: together they bound the memory.
_N_REMEMBERED, _MAX_REMEMBERED = 2**16, 2**6

#: Stands in front of the first character of a word, so that subwords tell where words begin.
BEGIN = "▁"

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
        self._learn(self._read(texts))
        return self

    def fit_encode(self, texts):
        """Learn the vocabulary, and return the ids of the same texts, which are read once.

        Parameters
        ----------
        texts : list of str

        Returns
        -------
        sequences : TokenIds
        """
        read = self._read(texts)
        self._learn(read)
        return self._encoded(read)

    def _learn(self, read):
        counts, self._subword_model = self._piece_counts(read), None
        if self.tokens == "subword":
            self._subword_model = learn_subwords(counts, self.max_tokens - RESERVED, self.min_frequency)
            counts = self._subword_counts(counts)
        frequent = [token for token, count in counts.items() if count >= self.min_frequency]
        # By frequency, then by themselves: no order of the rows changes the ids.
        frequent.sort(key=lambda token: (-counts[token], token))
        self.tokens_ = frequent[: self.max_tokens - RESERVED]
        self._ids = {token: index for index, token in enumerate(self.tokens_, RESERVED)}
        self.has_unknown_ = len(self.tokens_) < len(counts)

    def encode(self, texts):
        """Return the ids of texts.

        Parameters
        ----------
        texts : list of str

        Returns
        -------
        sequences : TokenIds
        """
        return self._encoded(self._read(texts))

    def _read(self, texts):
        """Return what learning and encoding begin with: each text's characters, or the pieces between its blanks.

        No token reaches over a blank, and what stands between two blanks mostly occurs again: each of them is looked at
        once. Neither normal form nor case of a character depends on what is behind a blank.
        """
        texts = [unicodedata.normalize("NFC", text) for text in texts]
        if self.lowercase:
            texts = [text.lower() for text in texts]
        return [" ".join(text.split()) for text in texts] if self.tokens == "char" else split_at_blanks(texts)

    def _piece_counts(self, read):
        """Return how often each character or word occurs."""
        if self.tokens == "char":
            return Counter(chain.from_iterable(read))
        chunks, indices, _ = read
        counts = Counter()
        for chunk, count in zip(chunks, np.bincount(indices, minlength=len(chunks)).tolist(), strict=True):
            for word in words_of(chunk):
                counts[word] += count
        return counts

    def _encoded(self, read):
        return self._encoded_characters(read) if self.tokens == "char" else self._encoded_chunks(*read)

    def _encoded_characters(self, texts):
        # The last place stands for all characters behind that of the vocabulary.
        ids = np.full(max(map(ord, self.tokens_), default=0) + 2, self._unknown, dtype="int32")
        ids[[ord(token) for token in self.tokens_]] = np.arange(RESERVED, RESERVED + len(self.tokens_))
        codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype="<u4")
        return self._known(TokenIds(ids[np.minimum(codes, len(ids) - 1)], list(map(len, texts))))

    def _encoded_chunks(self, chunks, indices, n_chunks):
        pieces = list(map(words_of, chunks))
        if self.tokens == "subword":
            subwords = cache(self._subwords)
            pieces = [[piece for word in words for piece in subwords(word)] for words in pieces]
        ids, unknown = self._ids, self._unknown
        flat = [ids.get(piece, unknown) for of_chunk in pieces for piece in of_chunk]
        of_chunks = TokenIds(np.array(flat, dtype="int32"), list(map(len, pieces)))
        return self._known(of_chunks).take(indices, n_chunks)

    @property
    def _unknown(self):
        return UNKNOWN if self.has_unknown_ else PADDING

    def _known(self, sequences):
        """Return sequences without tokens that nothing was learned about."""
        return sequences if self.has_unknown_ else sequences.without(PADDING)

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
    word = BEGIN + word
    return [word[start : start + _MAX_WORD] for start in range(0, len(word), _MAX_WORD)]


def words_of(chunk):
    """Return the words and punctuation marks of a text without blanks."""
    return _words_of_short(chunk) if len(chunk) <= _MAX_REMEMBERED else _words_of_short.__wrapped__(chunk)


# Folds and branches read the same words again and again.
@lru_cache(maxsize=_N_REMEMBERED)
def _words_of_short(chunk):
    return _WORD.findall(chunk.replace("\u2019", "'"))  # apostrophes are often set as quotes


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
