"""Keras layers of encoders of the BERT family."""

import numpy as np
import pytest
from _bert import write_folder

from skstack._backend import keras
from skstack.backbones._bert import read_bert
from skstack.backbones._bert_layers import LowRankAdapter, PoolTokens, TransformerLayer

IDS = np.array([[3, 5, 6, 0], [4, 4, 0, 0], [0, 0, 0, 0]], dtype="int32")


def _numpy(x):
    return keras.ops.convert_to_numpy(x)


@pytest.mark.parametrize("how", ["mean", "cls"])
@pytest.mark.parametrize("normalize", [True, False])
def test_tokens_become_one_vector_whatever_stands_at_padding(how, normalize):
    x = np.random.default_rng(0).normal(size=(3, 4, 5)).astype("float32")
    pooled = _numpy(PoolTokens(how, normalize)([x, IDS]))
    expected = np.array([x[0, 0], x[1, 0]] if how == "cls" else [x[0, :3].mean(axis=0), x[1, :2].mean(axis=0)])
    if normalize:
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(pooled[:2], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(pooled[2], 0)


def test_an_adapter_is_a_product_of_two_matrices():
    adapter = LowRankAdapter(2, scale=3.0)
    x = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    np.testing.assert_array_equal(_numpy(adapter(x)), 0)
    adapter.up.assign(np.ones((2, 5)))
    np.testing.assert_allclose(_numpy(adapter(x)), 3 * (x @ np.asarray(adapter.down)) @ np.ones((2, 5)), rtol=1e-4)


def test_adapters_can_be_all_that_is_trained():
    layer = TransformerLayer(2, 6, "gelu", 1e-12, adapter_rank=2)
    layer.build([(None, 4, 4), (None, 4)])
    assert len(layer.trainable_variables) == 20
    layer.train_adapters_only()
    trained = layer.trainable_variables
    assert {id(variable) for variable in trained} == {id(v) for part in layer.adapters for v in part.variables}


def test_adapters_change_queries_and_values(tmp_path):
    model = read_bert(write_folder(tmp_path)).build(adapter_rank=2)
    before = _numpy(model(IDS))
    for name in ("query_adapter", "value_adapter"):
        adapter = getattr(model.get_layer("layer_2"), name)
        adapter.up.assign(np.ones(adapter.up.shape))
        after = _numpy(model(IDS))
        assert np.abs(after[:2, :2] - before[:2, :2]).max() > 1e-3
        adapter.up.assign(np.zeros(adapter.up.shape))
    np.testing.assert_array_equal(_numpy(model(IDS)), before)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_is_near(tmp_path, policy):
    bert = read_bert(write_folder(tmp_path))
    whole, mixed = _numpy(bert.build()(IDS)), bert.build(dtype=policy)(IDS)
    assert keras.backend.standardize_dtype(mixed.dtype) == policy.removeprefix("mixed_")
    np.testing.assert_allclose(_numpy(keras.ops.cast(mixed, "float32"))[:2], whole[:2], atol=0.1)
    assert np.isfinite(_numpy(keras.ops.cast(mixed, "float32"))).all()


def test_a_model_is_saved_and_loaded(tmp_path):
    model = read_bert(write_folder(tmp_path)).build(adapter_rank=2)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(_numpy(again(IDS)), _numpy(model(IDS)))
