"""Models of the BERT family, from files to Keras."""

import json
import sys

import numpy as np
import pytest
from _bert import CONFIG, hidden_states, random_weights, write_folder
from safetensors.numpy import save_file

from skstack._backend import keras
from skstack.backbones._bert import ACTIVATIONS, read_bert
from skstack.backbones._bert_layers import ACTIVATIONS as FUNCTIONS

IDS = [2, 4, 5, 9, 12, 3]


def _states(model, rows):
    return keras.ops.convert_to_numpy(model(np.array(rows, dtype="int32")))


def _row(ids=IDS, length=8):
    return [index + 1 for index in ids] + [0] * (length - len(ids))


@pytest.mark.parametrize("prefix", ["", "bert."])
@pytest.mark.parametrize("config", [{}, {"hidden_act": "relu", "num_hidden_layers": 1, "layer_norm_eps": 0.1}])
def test_the_model_computes_what_the_paper_says(tmp_path, prefix, config):
    folder = write_folder(tmp_path, config=config, prefix=prefix)
    expected = hidden_states(IDS, random_weights(0, {**CONFIG, **config}), {**CONFIG, **config})
    states = _states(read_bert(folder).build(), [_row(), _row(length=8)])
    np.testing.assert_allclose(states[0, : len(IDS)], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(states[0], states[1])


def test_padding_changes_nothing(tmp_path):
    model = read_bert(write_folder(tmp_path)).build()
    short, long = (_states(model, [_row(length=length)])[0, : len(IDS)] for length in (6, 12))
    np.testing.assert_allclose(short, long, rtol=1e-5, atol=1e-6)


def test_names_of_weights_may_be_old_ones(tmp_path):
    folder = write_folder(tmp_path)
    old = {
        "bert." + name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
        for name, value in random_weights(0, CONFIG).items()
    }
    before = read_bert(folder).fingerprint()
    save_file({name: value.astype("float32") for name, value in old.items()}, folder / "model.safetensors")
    assert read_bert(folder).fingerprint() == before


def test_half_precision_is_read(tmp_path):
    whole, half = (read_bert(write_folder(tmp_path / dtype, dtype=dtype)) for dtype in ("float32", "float16"))
    assert {weight.dtype for weight in half.weights.values()} == {np.dtype("float32")}
    np.testing.assert_allclose(_states(half.build(), [_row()]), _states(whole.build(), [_row()]), rtol=0.05, atol=0.05)


def test_fingerprints_tell_models_apart(tmp_path):
    settings = {"a": {}, "same": {}, "seed": {"seed": 1}, "config": {"config": {"hidden_act": "relu"}}}
    prints = {name: read_bert(write_folder(tmp_path / name, **kw)).fingerprint() for name, kw in settings.items()}
    assert prints["a"] == prints["same"]
    assert len(set(prints.values())) == 3


def test_adapters_begin_at_nothing(tmp_path):
    bert = read_bert(write_folder(tmp_path))
    plain, adapted = bert.build(), bert.build(adapter_rank=3)
    np.testing.assert_array_equal(_states(plain, [_row()]), _states(adapted, [_row()]))
    assert len(adapted.weights) - len(plain.weights) == 2 * 2 * 2  # down and up, of query and value, in two layers


def test_layers_are_called_by_their_numbers(tmp_path):
    names = [layer.name for layer in read_bert(write_folder(tmp_path)).build().layers]
    assert names == ["ids", "embeddings", "layer_1", "layer_2"]


def test_every_activation_has_a_function():
    assert set(ACTIVATIONS) == set(FUNCTIONS)


# --- files that cannot be used ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_file_that_is_not_there_is_named(tmp_path, name):
    folder = write_folder(tmp_path)
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"there is no '{name}' in .*: the folder of an encoder holds config"):
        read_bert(folder)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "t5"}, "is of model_type 't5'; supported is 'bert'"),
        ({"model_type": None}, "is of model_type None"),
        ({"hidden_act": "mish"}, "has hidden_act='mish'; supported is 'gelu' or"),
        (
            {"position_embedding_type": "relative_key"},
            "position_embedding_type='relative_key'; supported is 'absolute'",
        ),
        ({"num_hidden_layers": 3}, "lacks 16 weights, such as 'encoder.layer.2.attention.output.LayerNorm.bias'"),
    ],
)
def test_models_that_we_cannot_compute_are_refused(tmp_path, config, message):
    folder = write_folder(tmp_path)
    (folder / "config.json").write_text(json.dumps({**CONFIG, **config}))
    with pytest.raises(ValueError, match=message):
        read_bert(folder)


def test_files_that_hold_something_else_are_named(tmp_path):
    folder = write_folder(tmp_path)
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"the weights in '.*model.safetensors' cannot be read"):
        read_bert(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config.json' holds no JSON"):
        read_bert(folder)


def test_the_extra_is_named_where_it_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    with pytest.raises(ImportError, match=r"package safetensors: pip install 'skstack\[text\]'"):
        read_bert(write_folder(tmp_path))
