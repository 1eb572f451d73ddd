"""Groups, the order of time and weights at every level: outer folds, cross-fitting, early stopping, final estimator."""

import numpy as np
import pytest
import sklearn
from _small import TRAINING, Recorder, make_table
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GroupKFold, KFold, TimeSeriesSplit, cross_validate

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack.branches import CategoricalBranch, NumericBranch
from skstack.network import _staged

N_ROWS = 48
ROW = [("row", NumericBranch(hidden=(2,)), ["row"])]
STOPPING = {**TRAINING, "early_stopping": True, "validation_fraction": 0.25, "random_state": 0}


@pytest.fixture(scope="module")
def table():
    """Rows in the order of time, which a column counts, numbers, weights and groups."""
    X, y = make_table(N_ROWS)
    generator = np.random.default_rng(1)
    X = X.assign(row=np.arange(N_ROWS, dtype="float64"))
    return X, y, generator.uniform(0.5, 2.0, N_ROWS), generator.permutation(N_ROWS) % 12


@pytest.fixture
def jobs(monkeypatch):
    """The jobs of all networks that are trained; the input `row` says which rows of the table they hold."""
    seen = []

    def recording(original):
        def fit(network, settings, make, jobs, schedule):
            seen.extend(jobs)
            return original(network, settings, make, jobs, schedule)

        return fit

    monkeypatch.setattr(_staged, "fit", recording(_staged.fit))
    return seen


def _rows(job):
    """Return the rows of the table that a network was trained on, and those that stopped it."""
    rows = job.data["inputs"]["row"].ravel().astype(int)
    return rows[job.training_rows], rows[job.validation_rows]


def _network(branches=None):
    return MultimodalNetworkRegressor(branches, **STOPPING)


def _stack(cv, request=False):
    """Return a stack with a network of its branches, one among its learners, and one on top."""
    networks, learner = [_network(), _network(ROW), _network(ROW)], Recorder()
    if request:
        networks = [network.set_fit_request(sample_weight=True, groups=True) for network in networks]
        learner.set_fit_request(sample_weight=True)
    template, alone, final = networks
    parts = [*ROW, ("place", CategoricalBranch(dim=2), ["city"]), ("alone", alone), ("learner", learner, ["area"])]
    return MultimodalStackingRegressor(parts, final, network=template, cv=cv, passthrough=["row"], random_state=0)


def _levels(fitted, training, jobs):
    """Return the rows that each network of a stack in an outer fold learned from, was stopped by, got and predicted.

    Its networks are one of branches and one among the learners, each for all rows and for each fold, and then those on
    top: the one that stays, and those of the report.
    """
    folds = [(training, None), *((training[rows], training[held_out]) for rows, held_out in fitted.splits_)]
    n_fits = len(folds)
    assert len(jobs) > 2 * n_fits
    on_top = [(*_rows(job), training, None) for job in jobs[2 * n_fits :]]
    return [*((*_rows(job), *folds[job.index]) for job in jobs[: 2 * n_fits]), *on_top]


@pytest.mark.parametrize("inner", [KFold(2), GroupKFold(2), TimeSeriesSplit(2)], ids=["rows", "groups", "time"])
def test_every_level_keeps_to_the_rows_it_is_given(table, jobs, inner):
    X, y, weight, groups = table
    params = {"sample_weight": weight} | ({"groups": groups} if isinstance(inner, GroupKFold) else {})
    outer = type(inner)(2)
    with sklearn.config_context(enable_metadata_routing=True):
        results = cross_validate(
            _stack(inner, request=True), X, y, cv=outer, params=params, return_estimator=True, return_indices=True
        )
    of_each = len(jobs) // len(results["estimator"])
    for number, (fitted, training) in enumerate(zip(results["estimator"], results["indices"]["train"], strict=True)):
        for learned, stopped, given, held_out in _levels(fitted, training, jobs[number * of_each :][:of_each]):
            assert len(learned) and len(stopped)
            assert not set(learned) & set(stopped)
            assert {*learned, *stopped} <= set(given)
            if isinstance(inner, GroupKFold):
                assert not set(groups[learned]) & set(groups[stopped])
                assert held_out is None or not set(groups[held_out]) & set(groups[given])
            if isinstance(inner, TimeSeriesSplit):
                assert learned.max() < stopped.min()
                assert held_out is None or stopped.max() < held_out.min()


def test_weights_reach_every_level(table, jobs):
    X, y, weight, _ = table
    stack = _stack(TimeSeriesSplit(2)).fit(X, y, sample_weight=weight)
    assert_array_equal(stack.named_estimators_["learner"].seen_weight_, weight)
    for job in jobs:
        rows = job.data["inputs"]["row"].ravel().astype(int)
        used = np.r_[job.training_rows, job.validation_rows]
        assert_allclose(job.data["weights"]["output"][used], weight[rows[used]], rtol=1e-6)
    assert len(jobs) >= 7
    # A learner gets those of the rows of its fold.
    training, test = stack.splits_[1]
    fold = Recorder().fit(X[["area"]].iloc[training], y[training], weight[training])
    assert_allclose(stack.oof_predictions_[test, 2], fold.predict(X[["area"]].iloc[test]))


def test_what_is_later_than_a_fold_changes_not_a_bit_of_it(table):
    X, y, _, _ = table
    later = np.arange(N_ROWS) >= 32
    changed = X.assign(row=X["row"].where(~later, 1e6), city=X["city"].where(~later, "Zwolle"))
    stacks = [_stack(TimeSeriesSplit(2)).fit(*data) for data in ((X, y), (changed, np.where(later, -1e3, y)))]
    first = stacks[0].splits_[0][1]
    assert first.tolist() == list(range(16, 32))
    one, other = (stack.oof_predictions_ for stack in stacks)
    assert_array_equal(one[first], other[first])
    assert not np.isclose(one[32:, :2], other[32:, :2]).any()  # predicted from other cells
    assert np.isnan(one[:16]).all()
