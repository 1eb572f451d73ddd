"""Searches whose candidates Optuna suggests."""

import re
import sys
import threading
import time

import numpy as np
import pytest
from _small import make_table, network_regressor
from scipy.stats import loguniform, randint
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skstack.model_selection import OptunaSearchCV

optuna = pytest.importorskip("optuna")

ALPHAS = {"alpha": loguniform(1e-3, 1e5)}


@pytest.fixture(scope="module")
def table():
    X, y = load_diabetes(return_X_y=True)
    return X[:100], y[:100]


def _search(space=ALPHAS, estimator=None, **params):
    defaults = {"n_trials": 4, "cv": 3, "random_state": 0}
    return OptunaSearchCV(Ridge() if estimator is None else estimator, space, **{**defaults, **params})


def _in_turn(name, values):
    """Return a space whose n-th trial has the n-th value."""
    return lambda trial: {name: values[trial.number]}


def _never_early(**params):
    """Return a pruner that compares with the median of the two trials that were over first."""
    return optuna.pruners.MedianPruner(n_startup_trials=2, **params)


def test_candidates_score_as_in_scikit_learn(table):
    space = {"alpha": loguniform(1e-3, 1e3), "fit_intercept": [True, False], "solver": ["svd", "cholesky"]}
    search = _search(space, return_train_score=True).fit(*table)
    grid = [{name: [value] for name, value in params.items()} for params in search.cv_results_["params"]]
    expected = GridSearchCV(Ridge(), grid, cv=3, return_train_score=True).fit(*table)
    assert search.cv_results_.keys() == expected.cv_results_.keys()
    for name, column in expected.cv_results_.items():
        if "_time" not in name:
            np.testing.assert_array_equal(search.cv_results_[name], column, err_msg=name)
    assert search.best_params_ == expected.best_params_
    assert search.best_score_ == expected.best_score_
    np.testing.assert_array_equal(search.predict(table[0]), expected.predict(table[0]))


@pytest.mark.parametrize(
    "space",
    [
        {"alpha": [1e-3, 1.0, 1e3], "max_iter": randint(1, 9)},
        {
            "alpha": optuna.distributions.FloatDistribution(1e-3, 1e3, log=True),
            "max_iter": optuna.distributions.IntDistribution(1, 9, step=2),
            "solver": optuna.distributions.CategoricalDistribution(["svd", "lsqr"]),
        },
        lambda trial: {"alpha": 1.0, "max_iter": trial.suggest_int("max_iter", 1, 8)},
    ],
    ids=["lists", "optuna", "define-by-run"],
)
def test_spaces(table, space):
    candidates = _search(space, n_trials=5, refit=False).fit(*table).cv_results_["params"]
    assert len(candidates) == 5
    assert all(1 <= params["max_iter"] <= 9 and type(params["max_iter"]) is int for params in candidates)
    assert all(1e-3 <= params["alpha"] <= 1e3 for params in candidates)


def test_values_may_be_estimators_and_steps(table):
    pipeline = make_pipeline(StandardScaler(), Ridge())
    space = {"standardscaler": [StandardScaler(with_std=False), "passthrough"], "ridge__alpha": [1.0]}
    search = _search(space, pipeline, n_trials=6).fit(*table)
    kinds = {str(params["standardscaler"]) for params in search.cv_results_["params"]}
    assert kinds == {"StandardScaler(with_std=False)", "passthrough"}
    # The values that were given are not what was fitted.
    assert not hasattr(space["standardscaler"][0], "mean_")


def test_a_seed_gives_one_search_and_every_fit_begins_a_study_of_its_own(table):
    search = _search()
    first = search.fit(*table)
    study, values = first.study_, first.cv_results_["param_alpha"].copy()
    search.fit(*table)
    np.testing.assert_array_equal(search.cv_results_["param_alpha"], values)
    assert search.study_ is not study
    assert len(study.trials) == len(search.study_.trials) == 4
    other = _search(random_state=1).fit(*table)
    assert not np.array_equal(other.cv_results_["param_alpha"], values)


@pytest.mark.parametrize("sampler", [None, optuna.samplers.RandomSampler(seed=0)])
def test_outer_folds_of_a_cross_validation_know_nothing_of_each_other(table, sampler):
    search = _search(sampler=sampler, pruner=optuna.pruners.MedianPruner())
    outer = cross_validate(search, *table, cv=2, return_estimator=True, return_indices=True)
    for fold, rows in zip(outer["estimator"], outer["indices"]["train"], strict=True):
        alone = clone(search).fit(table[0][rows], table[1][rows])
        assert len(fold.study_.trials) == 4
        np.testing.assert_array_equal(fold.cv_results_["param_alpha"], alone.cv_results_["param_alpha"])


def test_a_pruner_stops_learners_between_folds(table):
    space = _in_turn("alpha", [1.0, 1.0, 1e9, 0.5])
    search = _search(space, pruner=_never_early()).fit(*table)
    results = search.cv_results_
    assert results["pruned"].tolist() == [False, False, True, False]
    assert [trial.state.name for trial in search.study_.trials] == ["COMPLETE", "COMPLETE", "PRUNED", "COMPLETE"]
    # The fold that was over keeps its score.
    assert np.isfinite(results["split0_test_score"][2])
    assert np.isnan([results[f"split{fold}_test_score"][2] for fold in (1, 2)]).all()
    assert np.isnan(results["mean_test_score"][2])
    assert results["rank_test_score"][2] == 4
    # Others are evaluated as ever.
    whole = _search(space, refit=False).fit(*table).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(results["mean_test_score"][[0, 1, 3]], whole[[0, 1, 3]])


def test_folds_at_once_give_what_folds_in_turn_give(table):
    space = _in_turn("alpha", [1.0, 1.0, 1e9, 0.5])
    one, two = (_search(space, pruner=_never_early(), n_jobs=n_jobs).fit(*table).cv_results_ for n_jobs in (1, 2))
    for name in ("pruned", "mean_test_score", "split1_test_score"):
        np.testing.assert_array_equal(one[name], two[name])


@pytest.mark.parametrize("around", [lambda network: network, lambda network: make_pipeline("passthrough", network)])
def test_a_pruner_stops_networks_between_epochs(around):
    network = around(network_regressor(epochs=3))
    prefix = "" if not hasattr(network, "steps") else f"{network.steps[-1][0]}__"
    rates = [0.02, 0.02, 1e-6, 0.03]
    search = _search(_in_turn(f"{prefix}optimizer__learning_rate", rates), network, cv=2, pruner=_never_early())
    search.fit(*make_table())
    assert search.cv_results_["pruned"].tolist() == [False, False, True, False]
    whole, pruned = search.study_.trials[0].intermediate_values, search.study_.trials[2].intermediate_values
    # Three epochs of each fold, and the end of the first.
    assert list(whole) == [1, 2, 3, 4, 5, 6, 7]
    assert list(pruned) == [1]
    # What is told after the last epoch of a fold is the score of the fold.
    score = search.cv_results_["split0_test_score"][0]
    assert whole[3] == pytest.approx(score, rel=1e-4)
    assert whole[4] == pytest.approx(score)
    assert whole[7] == pytest.approx(search.cv_results_["mean_test_score"][0], rel=1e-4)
    assert np.isnan(search.cv_results_["split0_test_score"][2])


def test_a_threshold_may_stop_everything_which_is_an_error(table):
    pruner = optuna.pruners.ThresholdPruner(lower=2.0)
    search = _search(pruner=pruner)
    with pytest.raises(ValueError, match="None of 4 candidates was evaluated on all 3 folds"):
        search.fit(*table)
    assert not hasattr(search, "cv_results_")


def test_results_so_far_can_be_read_while_the_search_goes_on(table):
    seen = []

    def look(study, trial):
        reader = threading.Thread(target=lambda: seen.append(len(search.cv_results_["mean_test_score"])))
        reader.start()
        reader.join()

    search = _search(callbacks=[look])
    search.fit(*table)
    assert seen == [1, 2, 3, 4]


def test_a_callback_may_end_the_search(table):
    search = _search(callbacks=[lambda study, trial: study.stop()]).fit(*table)
    assert len(search.cv_results_["params"]) == 1


def test_no_candidate_is_begun_after_the_timeout(table):
    search = _search(timeout=0.3, n_trials=50, callbacks=[lambda study, trial: time.sleep(0.4)]).fit(*table)
    assert len(search.cv_results_["params"]) == 1


def test_a_bar_tells_the_best_score_so_far(table, capsys):
    search = _search(verbose=1).fit(*table)
    assert f"4 of 4 candidates, best score {search.best_score_:.4g}" in re.sub(r"\s+", " ", capsys.readouterr().out)
    _search(verbose=0).fit(*table)
    assert capsys.readouterr() == ("", "")


def test_the_log_of_optuna_is_as_it_was(table):
    before = optuna.logging.get_verbosity()
    _search().fit(*table)
    assert optuna.logging.get_verbosity() == before


def test_a_message_says_what_to_install(table, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'skstack[optuna]'")):
        _search().fit(*table)


@pytest.mark.parametrize(
    "params, message",
    [
        ({"n_trials": 0}, "'n_trials' parameter"),
        ({"timeout": 0}, "'timeout' parameter"),
        ({"sampler": "tpe"}, "'sampler' parameter"),
        ({"pruner": "median"}, "'pruner' parameter"),
        ({"callbacks": 3}, "'callbacks' parameter"),
        ({"param_distributions": [{}]}, "'param_distributions' parameter"),
        ({"param_distributions": {"alpha": []}}, "The parameter 'alpha' needs at least one value"),
        ({"param_distributions": {"alpha": 1.0}}, "The parameter 'alpha' is searched in"),
        ({"param_distributions": {"alpa": [1.0]}}, "Invalid parameter 'alpa'"),
    ],
)
def test_bad_parameters_are_errors(table, params, message):
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        _search().set_params(**params).fit(*table)


def test_it_stands_in_for_the_search_of_scikit_learn(table):
    """Several scores, and a choice of the best by one of them, are those of scikit-learn."""
    space, names = {"alpha": [1.0]}, ["r2", "neg_max_error"]
    ours = _search(space, n_trials=1, scoring=names, refit="neg_max_error").fit(*table)
    theirs = RandomizedSearchCV(Ridge(), space, n_iter=1, cv=3, scoring=names, refit="neg_max_error", random_state=0)
    theirs.fit(*table)
    assert ours.best_score_ == theirs.best_score_ == ours.study_.best_value
    assert ours.score(*table) == theirs.score(*table)
    assert ours.scorer_.keys() == theirs.scorer_.keys()
