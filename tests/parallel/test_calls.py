"""Data taken out of calls, put back on a worker, and sent once."""

import gc

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import Ridge

from skstack.parallel._calls import RaisedThereError, SentOnce, run, without_data

X, y = pd.DataFrame({"area": [1.0, 2.0, 3.0]}), np.arange(3.0)


def _call(*args, **kwargs):
    return args, kwargs


def test_arrays_and_tables_are_taken_out_once_and_put_back():
    weight, ridge, matrix = np.ones(3), Ridge(), sparse.csr_array(np.eye(3))
    items = [
        (_call, (ridge, X, y), {"fit_params": {"sample_weight": weight}, "alpha": np.float64(1.0)}),
        (_call, (matrix, X, None), {"sample_weight": weight}),
    ]
    calls, data = without_data(items)
    assert [id(value) for value in data] == [id(value) for value in (X, y, weight, matrix)]
    (first, first_kwargs), (second, second_kwargs) = run(calls, *data).results
    assert first[0] is ridge and first[1] is X and first[2] is y
    assert first_kwargs["fit_params"]["sample_weight"] is weight and first_kwargs["alpha"] == 1.0
    assert second[0] is matrix and second[1] is X and second[2] is None
    assert second_kwargs["sample_weight"] is weight


def test_an_error_comes_with_where_it_was_raised():
    def fail():
        raise ValueError("row 3")

    outcome = run([(_call, [], {}), (fail, [], {})])
    assert not outcome.results
    assert isinstance(outcome.error, ValueError)
    assert "in fail" in str(RaisedThereError(outcome.where))


class Store:
    """Counts what is sent, and loses it on request."""

    def __init__(self):
        self.sent, self.lost = [], set()

    def send(self, value):
        self.sent.append(float(value[0]))
        return len(self.sent)


@pytest.fixture
def store():
    return Store()


def test_an_object_is_sent_once_for_as_long_as_it_lives(store):
    once = SentOnce(store.send, store.lost.__contains__)
    first, second = np.array([1.0]), np.array([2.0])
    assert [once.reference(value) for value in (first, second, first)] == [1, 2, 1]
    del first
    gc.collect()
    assert len(once) == 1
    assert once.reference(np.array([3.0])) == 3
    assert store.sent == [1.0, 2.0, 3.0]


def test_what_was_lost_is_sent_again(store):
    once = SentOnce(store.send, store.lost.__contains__)
    value = np.array([1.0])
    store.lost.add(once.reference(value))
    assert [once.reference(value), once.reference(value)] == [2, 2]
