"""Encoders with a tokenizer, which turn texts into features."""

import numpy as np
import pytest
from _bert import TEXTS, WORDS, encoder_folder, expected_features, tokenizer, write_folder

from skstack._backend import keras
from skstack.backbones import _text_encoder
from skstack.backbones._text_encoder import TextEncoder, loaded_tokenizer, token_ids
from skstack.backbones._text_loading import load_text_encoder

__all__ = ["encoder_folder"]  # a fixture


def _ids(text, max_length=32):
    return token_ids(tokenizer().to_str(), [text], max_length).tolist()[0]


def _named(ids):
    return [WORDS[index - 1] for index in ids]


def test_tokens_are_those_of_the_tokenizer_between_its_marks():
    assert _named(_ids("Red OLDER hats")) == ["[CLS]", "red", "old", "##er", "[UNK]", "[SEP]"]
    assert _named(_ids("red red red red", max_length=4)) == ["[CLS]", "red", "red", "[SEP]"]


def test_blank_texts_have_no_tokens():
    assert token_ids(tokenizer().to_str(), ["red", "", " \n"], 8).tolist() == [[3, 5, 4], [], []]


@pytest.mark.parametrize("n_tokens", [1, 32, 512])
def test_features_are_those_of_the_paper(encoder_folder, monkeypatch, n_tokens):
    monkeypatch.setattr(_text_encoder, "_TOKENS", n_tokens)
    encoder = load_text_encoder(encoder_folder)
    assert encoder.n_features == 8
    np.testing.assert_allclose(encoder.features(TEXTS), expected_features(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(encoder.features(TEXTS, 4), expected_features(max_length=4), rtol=1e-4, atol=1e-5)


def test_features_do_not_depend_on_the_texts_beside(encoder_folder):
    encoder = load_text_encoder(encoder_folder)
    many = [*TEXTS, *["red " * n for n in range(1, 30)]]
    together = encoder.features(many)
    for row in (0, 3, 17):
        np.testing.assert_array_equal(encoder.features([many[row]])[0], together[row])
    np.testing.assert_array_equal(encoder.features(many[::-1]), together[::-1])


def test_features_are_computed_in_single_precision(encoder_folder):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        features = load_text_encoder(encoder_folder).features(TEXTS)
    finally:
        keras.config.set_dtype_policy(before)
    np.testing.assert_allclose(features, expected_features(), rtol=1e-4, atol=1e-5)


def test_nothing_has_no_features(encoder_folder):
    assert load_text_encoder(encoder_folder).features([]).shape == (0, 8)


def test_no_more_is_read_than_the_model_has_places_for(encoder_folder):
    encoder = load_text_encoder(encoder_folder)
    assert encoder.max_length == 32
    np.testing.assert_array_equal(encoder.features(["red " * 50]), encoder.features(["red " * 30]))
    np.testing.assert_array_equal(encoder.features(["red " * 50], 99), encoder.features(["red " * 30]))


def test_fingerprints_tell_encoders_apart(encoder_folder, tmp_path):
    encoder = load_text_encoder(encoder_folder)

    def made(**changes):
        settings = {name: getattr(encoder, name) for name in ("tokenizer", "model", "pooling", "normalize")}
        return TextEncoder(**{**settings, "max_length": encoder.max_length, **changes}).fingerprint

    other = load_text_encoder(write_folder(tmp_path / "other", seed=1)).model
    changes = [{}, {"pooling": "cls"}, {"normalize": True}, {"max_length": 7}, {"tokenizer": "{}"}, {"model": other}]
    assert made() == encoder.fingerprint
    assert len({made(**change) for change in changes}) == len(changes)


def test_a_file_that_is_no_tokenizer_is_named():
    with pytest.raises(ValueError, match="the tokenizer cannot be read: "):
        loaded_tokenizer('{"model": 3}')
