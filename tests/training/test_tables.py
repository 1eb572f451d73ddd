"""Large embedding tables, of which a step moves only the rows with a gradient."""

from dataclasses import replace

import numpy as np
import pytest
from _problems import N_ROWS, assert_same, both_ways, build, job_of, make_data, settings_of, train

from skstack._backend import keras
from skstack.branches._text_layers import TokenVectors
from skstack.training import _tables, clear_cache
from skstack.training._optimizers import stateless, variables_of
from skstack.training._tables import RowGradient, RowsOfTables, large_tables
from skstack.training._values import as_arrays

NAME = "embedding/embeddings"
CATEGORIES = {"categories": True}


@pytest.fixture
def every_table_is_large(monkeypatch):
    clear_cache()  # of programs that have been compiled otherwise
    monkeypatch.setattr(_tables, "_MIN_WEIGHTS", 0)
    monkeypatch.setattr(keras.layers.Embedding, "moves_rows", True, raising=False)
    yield
    clear_cache()


def data_without(category):
    """Return rows in none of which a category occurs."""
    data = make_data(categories=True)
    data["inputs"]["c"][data["inputs"]["c"] == category] = category + 1
    return data


def one_training(data, vectorized=False, after=None, epochs=4, **params):
    """Return a trained network, alone or beside another one; it may go on after an earlier training."""
    jobs = [job_of(data, **CATEGORIES) for _ in range(2 if vectorized else 1)]
    if after is not None:
        jobs = [replace(job, values=after.values, optimizer_state=after.optimizer_state) for job in jobs]
    schedule = {"vectorized": vectorized, "epochs": epochs, "batch_size": 5}
    return train(jobs, settings_of(**params), network=CATEGORIES, **schedule)[0]


# --- which tables -----------------------------------------------------------------------------------------------------


def test_small_tables_and_those_of_layers_that_do_not_ask_for_it_are_moved_with_all_other_weights(monkeypatch):
    for layer, is_moved_by_row in ((TokenVectors(2**10, 64), True), (TokenVectors(2**9, 64), False)):
        inputs = keras.Input((2,), dtype="int32")
        tables = large_tables(keras.Model(inputs, layer(inputs)), keras.optimizers.Adam())
        assert tables == ([layer._embeddings] if is_moved_by_row else [])
    monkeypatch.setattr(_tables, "_MIN_WEIGHTS", 0)
    assert large_tables(build(**CATEGORIES), keras.optimizers.Adam()) == []


@pytest.mark.usefixtures("every_table_is_large")
def test_tables_that_are_trained_by_nothing_but_look_ups_are_moved_by_row():
    model = build(**CATEGORIES)
    embedding = model.get_layer("embedding")
    assert large_tables(model, keras.optimizers.Adam()) == [embedding._embeddings]
    assert large_tables(model, keras.optimizers.Lamb()) == []  # looks at the norm of the whole table
    assert large_tables(model, keras.optimizers.Adam(clipnorm=1.0)) == []
    embedding.embeddings_regularizer = keras.regularizers.L2(0.1)
    assert large_tables(model, keras.optimizers.Adam()) == []
    embedding.embeddings_regularizer, embedding.trainable = None, False
    assert large_tables(model, keras.optimizers.Adam()) == []


# --- what a step does -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("every_table_is_large")
@pytest.mark.parametrize("optimizer", ["Adam", "Ftrl", "Lion"])
def test_compiled_loops_equal_keras_fit_among_others(optimizer):
    assert_same(*both_ways(make_data(categories=True), CATEGORIES, optimizer, schedule={"batch_size": 5}))


@pytest.mark.usefixtures("every_table_is_large")
@pytest.mark.parametrize("params", [{"global_clipnorm": 0.1}, {"optimizer": "AdamW", "weight_decay": 0.1}], ids=str)
def test_together_equals_each_for_itself(params):
    data = make_data(categories=True)
    assert_same(one_training(data, True, **params), one_training(data, **params))


def test_plain_gradient_descent_is_the_same_with_rows_and_without(monkeypatch):
    data = make_data(categories=True)
    plain = one_training(data, optimizer="SGD", learning_rate=0.1)
    clear_cache()
    monkeypatch.setattr(_tables, "_MIN_WEIGHTS", 0)
    monkeypatch.setattr(keras.layers.Embedding, "moves_rows", True, raising=False)
    by_row = one_training(data, optimizer="SGD", learning_rate=0.1)
    clear_cache()
    assert_same(by_row, plain, rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("every_table_is_large")
@pytest.mark.parametrize("vectorized", [False, True])
def test_rows_that_no_batch_looks_up_stay_to_a_bit_and_others_move(vectorized):
    data = data_without(3)
    trained = one_training(data, vectorized, optimizer="AdamW", weight_decay=0.1)
    before = job_of(data, **CATEGORIES).values[NAME]
    stays = (trained.values[NAME] == before).all(axis=1)
    assert stays.tolist() == [row == 3 for row in range(len(before))]
    for of_weights in trained.optimizer_state.slots.values():
        assert not of_weights[NAME][3].any()
        assert of_weights[NAME][4].any()


@pytest.mark.usefixtures("every_table_is_large")
@pytest.mark.parametrize("vectorized", [False, True])
def test_momenta_do_not_move_a_row_after_its_last_batch(vectorized):
    data = make_data(categories=True)
    data["inputs"]["c"] = np.zeros((N_ROWS, 2), dtype="int32")
    first = one_training(data, vectorized, epochs=1)
    data["inputs"]["c"][:] = 1
    then = one_training(data, vectorized, first, epochs=1)
    np.testing.assert_array_equal(then.values[NAME][0], first.values[NAME][0])
    assert (then.values[NAME][1] != first.values[NAME][1]).all()
    for slot, of_weights in then.optimizer_state.slots.items():
        np.testing.assert_array_equal(of_weights[NAME][0], first.optimizer_state.slots[slot][NAME][0])


# --- an optimizer of rows ---------------------------------------------------------------------------------------------


def test_rows_are_taken_from_a_table_and_its_momenta_and_put_back():
    table, other = keras.Variable(np.arange(8.0).reshape(4, 2)), keras.Variable(np.ones(3))
    optimizer = stateless(keras.optimizers.SGD(0.1, momentum=0.5))
    optimizer.build([other, table])
    values = [keras.ops.convert_to_tensor(value) for value in as_arrays(variables_of(optimizer))]
    weights = [keras.ops.convert_to_tensor(np.array(variable)) for variable in (other, table)]

    def put(table, rows, values):
        return keras.ops.scatter_update(table, keras.ops.expand_dims(rows, 1), values)

    rows = RowsOfTables(optimizer, ["of all", RowGradient(keras.ops.convert_to_tensor([2, 0]), "of rows", put)])
    assert rows.gradients == ["of all", "of rows"]
    some_weights, some_values = rows.taken(weights, values)
    np.testing.assert_array_equal(some_weights[1], [[4, 5], [0, 1]])
    assert [tuple(value.shape) for value in some_values if len(value.shape) == 2] == [(2, 2)]
    after = some_weights[0], 10 * some_weights[1]
    (other_after, table_after), values_after = rows.put_back(weights, values, (after, [v + 1 for v in some_values]))
    np.testing.assert_array_equal(other_after, weights[0])
    np.testing.assert_array_equal(table_after, [[0, 10], [2, 3], [40, 50], [6, 7]])
    (momentum,) = (value for value in values_after if len(value.shape) == 2)
    np.testing.assert_array_equal(momentum, [[1, 1], [0, 0], [1, 1], [0, 0]])
