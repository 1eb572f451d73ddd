"""Initial values of networks of one architecture."""

import numpy as np
import pytest
from _data import mixed_frame

from skstack import MultimodalNetworkRegressor
from skstack._backend import keras
from skstack.branches import CategoricalBranch, ModelBranch, NumericBranch, TextBranch
from skstack.network._initial_values import InitialValues
from skstack.training._seeds import seeded
from skstack.training._values import values_of

NUMBERS = ("numbers", NumericBranch(hidden=(8,), batch_norm=True, dropout=0.2), ["area", "rooms"])


def assembly_of(branches):
    X, y = mixed_frame()
    return MultimodalNetworkRegressor(branches, dropout=0.1, random_state=0).initialize(X, y)._assembly


def built(assembly, seed=1):
    with seeded(seed):
        return assembly.build()


def pretrained(cell_shape):
    """Return a model with weights that no initializer drew."""
    inputs = keras.Input(cell_shape)
    model = keras.Model(inputs, keras.layers.Dense(3, name="given")(inputs))
    model.set_weights([np.arange(6, dtype="float32").reshape(2, 3), np.ones(3, dtype="float32")])
    return model


@pytest.fixture(scope="module")
def assembly():
    texts = ("texts", TextBranch(dim=3), ["zip"])
    return assembly_of([NUMBERS, ("place", CategoricalBranch(), ["zip"]), texts])


def test_what_is_random_is_drawn_anew_and_the_rest_stays(assembly):
    model = built(assembly)
    first = values_of(model)
    one, other = InitialValues(assembly, model, 1).of_members([1, 2], assembly)
    random = {name for name in first if "kernel" in name or "vectors" in name or "seed_generator" in name}
    assert {name for name in one if not np.array_equal(one[name], other[name])} >= random
    for name, value in other.items():
        assert (value.dtype, value.shape) == (first[name].dtype, first[name].shape)
        if "kernel" in name:  # of the same distribution
            assert value.std() == pytest.approx(first[name].std(), rel=0.5)
    np.testing.assert_array_equal(one["head_1/kernel"], first["head_1/kernel"])
    np.testing.assert_array_equal(one["numbers_branch/standardize/center"], other["numbers_branch/standardize/center"])
    assert other["numbers_branch/standardize/center"].any()


def test_a_seed_always_draws_the_same(assembly):
    draws = [InitialValues(assembly, built(assembly), 1).of_members([5], assembly)[0] for _ in range(2)]
    for name, value in draws[0].items():
        np.testing.assert_array_equal(value, draws[1][name])


def test_no_model_is_built_for_a_further_seed(assembly, monkeypatch):
    initial = InitialValues(assembly, built(assembly), 1)
    monkeypatch.setattr(assembly, "build", lambda: pytest.fail("a model was built"))
    assert len(initial.of_members([1, 2, 3], assembly)) == 3


def test_pretrained_weights_are_the_same_for_all():
    assembly = assembly_of([("given", ModelBranch(pretrained), ["area", "rooms"])])
    one, other = InitialValues(assembly, built(assembly), 1).of_members([1, 2], assembly)
    given = [name for name in one if "given/" in name]
    assert len(given) == 2
    for name in given:
        np.testing.assert_array_equal(one[name], other[name])
    assert not np.array_equal(one["head_1/kernel"], other["head_1/kernel"])


def test_a_model_is_built_where_it_cannot_be_told_how_a_weight_is_drawn():
    assembly = assembly_of([("words", TextBranch(encoder="gru", units=2, dim=3), ["zip"])])
    initial = InitialValues(assembly, built(assembly), 1)
    (drawn,) = initial.of_members([2], assembly)
    expected = values_of(built(assembly, 2))
    recurrent = next(name for name in expected if "recurrent_kernel" in name)
    np.testing.assert_array_equal(drawn[recurrent], expected[recurrent])
    assert not np.array_equal(drawn[recurrent], initial.of_members([1], assembly)[0][recurrent])
