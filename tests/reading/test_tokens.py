"""Vocabularies of words, characters and subwords, and texts as sequences of ids."""

import json
import re
import subprocess
import sys
import unicodedata
from collections import Counter

import joblib
import numpy as np
import pytest
import tokenizers

from skstack.reading import _tokens
from skstack.reading._tokens import PADDING, RESERVED, UNKNOWN, Vocabulary


def _fitted(texts, tokens="word", max_tokens=100, min_frequency=1, lowercase=True):
    return Vocabulary(tokens, max_tokens, min_frequency, lowercase).fit(texts)


def _read(vocabulary, text):
    """Return the tokens that the ids of a text stand for."""
    names = {UNKNOWN: "?"} | dict(enumerate(vocabulary.tokens_, RESERVED))
    return [names[token_id] for token_id in vocabulary.encode([text]).tolist()[0]]


# --- words and characters -------------------------------------------------------------------------------------------


def test_words_are_split_at_blanks_and_punctuation():
    text = "Doesn't fit,\n  5'8\" (sad)!"
    assert _read(_fitted([text]), text) == ["doesn't", "fit", ",", "5'8", '"', "(", "sad", ")", "!"]


@pytest.mark.parametrize("same", ["don\u2019t cafe\u0301", "DON'T CAF\u00c9"])
def test_texts_that_look_alike_have_the_same_tokens(same):
    vocabulary = _fitted(["don't caf\u00e9"])
    assert vocabulary.encode([same, "don't caf\u00e9"]).tolist() == [[4, 3], [4, 3]]


def test_case_counts_if_asked():
    assert _fitted(["Coat coat"], lowercase=False).tokens_ == ["Coat", "coat"]


def test_frequent_tokens_come_first_and_equal_ones_in_their_own_order():
    assert _fitted(["c b a", "b", "c b"]).tokens_ == ["b", "c", "a"]


def test_order_of_the_texts_does_not_matter():
    texts = ["the coat is warm", "the warm coat", "a hat"]
    for tokens in ("word", "char", "subword"):
        one, other = _fitted(texts, tokens, 30), _fitted(texts[::-1], tokens, 30)
        assert joblib.hash(vars(one)) == joblib.hash(vars(other))


def test_characters_are_tokens_of_their_own_with_blanks_as_one():
    vocabulary = _fitted([" CC(=O) \t c1 "], "char", lowercase=False)
    assert _read(vocabulary, " CC(=O) \t c1 ") == ["C", "C", "(", "=", "O", ")", " ", "c", "1"]


def test_rare_tokens_are_unknown():
    vocabulary = _fitted(["a a b", "a c"], min_frequency=2)
    assert vocabulary.tokens_ == ["a"]
    assert vocabulary.encode(["b a z"]).tolist() == [[UNKNOWN, RESERVED, UNKNOWN]]


def test_no_more_tokens_than_allowed():
    vocabulary = _fitted(["a a a b b c"], max_tokens=RESERVED + 2)
    assert vocabulary.tokens_ == ["a", "b"]
    assert vocabulary.encode(["c"]).tolist() == [[UNKNOWN]]


@pytest.mark.parametrize("tokens", ["word", "char", "subword"])
def test_unseen_tokens_are_left_out_where_no_rare_one_was_learned_from(tokens):
    vocabulary = _fitted(["ab ab", "ab"], tokens)
    assert not vocabulary.has_unknown_
    assert vocabulary.encode(["zz"]).tolist() == [[]]
    assert _read(vocabulary, "ab!ab") == _read(vocabulary, "abab" if tokens == "char" else "ab ab")


def test_empty_texts_have_no_tokens():
    assert _fitted(["a", ""]).encode(["", "  "]).tolist() == [[], []]


def test_ids_leave_room_for_those_that_stand_for_no_token():
    ids = np.concatenate([_fitted(["ab cd"], tokens).encode(["ab"]).flat for tokens in ("word", "char", "subword")])
    assert min(ids) == RESERVED > max(PADDING, UNKNOWN)


# --- subwords -------------------------------------------------------------------------------------------------------


def test_frequent_pairs_become_one_token():
    vocabulary = _fitted(["low " * 4, "lower " * 3], "subword", min_frequency=3)
    assert _read(vocabulary, "low lower") == ["▁low", "▁lower"]
    assert _read(_fitted(["low " * 4, "lower " * 3], "subword", min_frequency=4), "lower") == ["▁low", "?", "?"]


def test_merges_stop_at_the_size_of_the_vocabulary():
    # Six characters, the mark of a beginning among them, and one merge.
    vocabulary = _fitted(["low " * 4, "lower " * 3], "subword", max_tokens=RESERVED + 7)
    assert len(_read(vocabulary, "lower")) == 5
    assert len(vocabulary.tokens_) <= 7


def test_characters_that_no_text_has_are_unknown():
    vocabulary = _fitted(["ab abc"] * 3, "subword", min_frequency=4)
    assert vocabulary.has_unknown_
    assert UNKNOWN in vocabulary.encode(["abž"]).flat


def test_unseen_words_are_read_by_their_parts():
    vocabulary = _fitted(["warm warmer cold colder"] * 5, "subword")
    assert _read(vocabulary, "coldest")[0] == "▁cold"
    assert _read(vocabulary, "warmest")[0] == "▁warm"


def test_subwords_make_up_their_word():
    texts = ["banana bandana anagram panama", "ananas bananas manna", "aaaa aaa aaaaa"] * 3
    vocabulary = _fitted(texts, "subword", max_tokens=RESERVED + 22, min_frequency=2)
    for word in " ".join(texts).split():
        assert "".join(vocabulary._subwords(word)) == f"▁{word}"


class Spy:
    """Stands for a tokenizer of the library, or the model in one, and notes the length of every word that it gets."""

    real = tokenizers.Tokenizer
    lengths = []  # noqa: RUF012 - shared by all of them

    def __init__(self, model):
        self.spied = model if isinstance(model, self.real) else self.real(model)

    @classmethod
    def from_str(cls, text):
        return cls(cls.real.from_str(text))

    def to_str(self):
        return self.spied.to_str()

    def train_from_iterator(self, texts, trainer):
        texts = list(texts)
        self.lengths += [len(word) for text in texts for word in text.split()]
        self.spied.pre_tokenizer = self.pre_tokenizer
        self.spied.train_from_iterator(texts, trainer)

    @property
    def model(self):
        return self

    def tokenize(self, word):
        self.lengths.append(len(word))
        return self.spied.model.tokenize(word)


def test_no_long_word_is_handed_to_the_library(monkeypatch):
    monkeypatch.setattr(tokenizers, "Tokenizer", Spy)
    monkeypatch.setattr(Spy, "lengths", [])
    word = "".join(np.random.default_rng(0).choice(list("acgt"), 10_000))
    vocabulary = _fitted([f"the {word} fits"], "subword", 50)
    subwords = _read(vocabulary, word)
    assert "".join(subwords) == f"▁{word}"
    assert [subword for subword in subwords if subword.startswith("▁")] == subwords[:1]
    assert max(Spy.lengths) == 100
    assert sum(Spy.lengths) > 3 * len(word)  # learned from, counted and read
    _tokens._loaded.cache_clear()


# --- the same as one text after the other -----------------------------------------------------------------------------

NASTY = [
    "Doesn't fit,\n  5'8\" (sad)! don\u2019t 'quoted' a'' it's'it '' \u2019s",
    "cafe\u0301 CAF\u00c9 e\u0301'e\u0301 x\u0301\u0327 \u1e9b\u0323 \u0344 \u0301 ab\u0300",
    "\u0391\u03a3 \u03a3\u0391\u03a3' \u038c\u0394\u039f\u03a3 \u0130stanbul \ufb01ne \u01c5 \u00df \u1e9e",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 ok\U0001f44d\U0001f3fd! \u4e2d\u6587 \u65e5",
    "\u65e5\u672c\u8a9e \u0928\u092e\u0938\u094d\u0924\u0947",
    "\u0661\u0662 \u00bd \u00b2 \u2167 _a_ __ \x1c\x1da\x85b\u2003c \u00a0nb\u3000wide \u200bzero a\x00b",
    "a" * 300 + " b'" * 50,
    "",
    " \n ",
]


def _one_after_the_other(vocabulary, text):
    """Read a text as the documentation says, without any short cut."""
    text = unicodedata.normalize("NFC", text)
    text = text.lower() if vocabulary.lowercase else text
    if vocabulary.tokens == "char":
        pieces = list(" ".join(text.split()))
    else:
        pieces = re.findall(r"\w+(?:'\w+)*|[^\w\s]", text.replace("\u2019", "'"))
    if vocabulary.tokens == "subword":
        pieces = [piece for word in pieces for piece in vocabulary._subwords(word)]
    known = dict(zip(vocabulary.tokens_, range(RESERVED, 10_000), strict=False))
    ids = [known.get(piece, UNKNOWN if vocabulary.has_unknown_ else None) for piece in pieces]
    return pieces, [index for index in ids if index is not None]


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("min_frequency", [1, 3])
@pytest.mark.parametrize("tokens", ["word", "char", "subword"])
def test_strange_texts_are_read_like_any_other(tokens, min_frequency, lowercase):
    vocabulary = _fitted(NASTY[:4] * 2, tokens, 400, min_frequency, lowercase)
    read = [_one_after_the_other(vocabulary, text) for text in NASTY]
    assert vocabulary.encode(NASTY).tolist() == [ids for _, ids in read]
    assert vocabulary.fit_encode(NASTY[:4] * 2).tolist() == [ids for _, ids in read[:4] * 2]
    if tokens != "subword":
        counts = Counter(piece for pieces, _ in read[:4] * 2 for piece in pieces)
        kept = [piece for piece, count in counts.items() if count >= min_frequency]
        assert sorted(vocabulary.tokens_) == sorted(kept)


@pytest.mark.parametrize("tokens", ["word", "char"])
def test_half_a_surrogate_is_a_sign_like_others(tokens):
    vocabulary = _fitted(["a \ud800 b"], tokens)
    assert "\ud800" in vocabulary.tokens_
    assert len(vocabulary.encode(["\ud800"]).flat) == 1


def test_long_words_are_not_remembered():
    _tokens._words_of_short.cache_clear()
    vocabulary = _fitted(["short"])
    remembered = _tokens._words_of_short.cache_info().currsize
    vocabulary.encode(["short", "long" * 100])
    assert remembered == _tokens._words_of_short.cache_info().currsize > 0


def test_another_process_learns_the_same():
    program = (
        "import json; from skstack.reading._tokens import Vocabulary;"
        "texts = ['the warm coat warms', 'a cold coat', 'colder than the other'] * 2;"
        "print(json.dumps(Vocabulary('subword', 40, 2, True).fit(texts).tokens_))"
    )
    found = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", program],
                env={"PYTHONHASHSEED": seed, "TOKENIZERS_PARALLELISM": parallel},
                capture_output=True,
                check=True,
                text=True,
            ).stdout
        )
        for seed, parallel in (("1", "true"), ("2", "false"))
    ]
    assert found[0] == found[1]
    assert "▁coat" in found[0]
