"""Searches whose candidates Ray Tune suggests, distributes and stops."""

import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from _mortal import Mortal
from _small import make_table, network_regressor
from _witness import Neighbour, Witness, facts
from sklearn import config_context
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skstack.model_selection import RayTuneSearchCV

tune = pytest.importorskip("ray.tune")


@pytest.fixture(scope="module")
def table():
    X, y = load_diabetes(return_X_y=True)
    return X[:100], y[:100]


def _search(space, estimator=None, **params):
    # One at a time: each worker imports scikit-learn anew.
    defaults = {"n_trials": 1, "n_jobs": 1, "cv": 3, "random_state": 0}
    return RayTuneSearchCV(Ridge() if estimator is None else estimator, space, **{**defaults, **params})


def _in_turn(*values):
    return tune.grid_search(list(values))


def test_candidates_score_as_in_scikit_learn_and_stand_in_order(table, local_ray, capsys):
    pipeline = make_pipeline(StandardScaler(), Ridge())
    space = {"standardscaler": [StandardScaler(with_std=False)], "ridge__alpha": _in_turn(1e3, 1.0, 1e-3)}
    search = _search(space, pipeline, return_train_score=True, verbose=1).fit(*table)
    assert search.cv_results_["param_ridge__alpha"].tolist() == [1e3, 1.0, 1e-3]
    grid = [{name: [value] for name, value in params.items()} for params in search.cv_results_["params"]]
    expected = GridSearchCV(pipeline, grid, cv=3, return_train_score=True).fit(*table)
    assert search.cv_results_.keys() == expected.cv_results_.keys()
    for name, column in expected.cv_results_.items():
        if "_score" in name and "time" not in name:
            np.testing.assert_allclose(search.cv_results_[name], column, rtol=1e-9, err_msg=name)
    np.testing.assert_allclose(search.predict(table[0]), expected.predict(table[0]))
    shown = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert f"candidates, best score {search.best_score_:.4g}" in shown
    assert "Configuration for experiment" not in shown


def test_outer_folds_of_a_cross_validation_know_nothing_of_each_other(table, local_ray, tmp_path):
    pytest.importorskip("optuna")

    def space(trial):
        solver = trial.suggest_categorical("solver", ["svd", "lsqr"])
        return {"solver": solver, "alpha": trial.suggest_float("alpha", 1.0, 2.0)}

    search = _search(space, n_trials=2, cv=2, storage_path=tmp_path)
    outer = cross_validate(search, *table, cv=2, return_estimator=True)["estimator"]
    assert len(list(tmp_path.glob("search_*"))) == 2
    results = [fold.cv_results_ for fold in outer]
    # The first candidates are those of the seed; what is learned from them is not known to the other fold.
    assert results[0]["params"] == results[1]["params"]
    assert all(1.0 <= params["alpha"] <= 2.0 and params["solver"] in ("svd", "lsqr") for params in results[0]["params"])
    assert results[0]["mean_test_score"].tolist() != results[1]["mean_test_score"].tolist()


def test_a_worker_gets_one_job_and_the_configuration_of_scikit_learn(table, local_ray):
    with config_context(enable_metadata_routing=True):
        search = _search({}, Witness(), scoring=facts, refit=False).fit(*table)
    seen = {name: column[0] for name, column in search.cv_results_.items() if name.startswith("mean_test_")}
    names = ["one job", "memory grows", "configured"]
    assert seen == {f"mean_test_{name}": 1.0 for name in names}


def test_a_scheduler_stops_learners_between_folds(table, local_ray):
    asha = tune.schedulers.ASHAScheduler(max_t=9, grace_period=1, reduction_factor=2)
    search = _search({"alpha": _in_turn(1.0, 1e9)}, scheduler=asha).fit(*table)
    results = search.cv_results_
    assert results["pruned"].tolist() == [False, True]
    assert np.isfinite(results["split0_test_score"]).all()
    assert np.isnan([results[f"split{fold}_test_score"][1] for fold in (1, 2)]).all()
    assert search.best_params_ == {"alpha": 1.0}


def test_a_scheduler_stops_networks_between_epochs(local_ray):
    asha = tune.schedulers.ASHAScheduler(max_t=99, grace_period=1, reduction_factor=2)
    space = {"optimizer__learning_rate": _in_turn(0.02, 1e-7)}
    search = _search(space, network_regressor(epochs=3), cv=2, scheduler=asha, refit=False).fit(*make_table())
    assert search.cv_results_["pruned"].tolist() == [False, True]
    # Three epochs of each fold, the end of the first, and the end.
    assert [result.metrics["training_iteration"] for result in search.result_grid_] == [8, 1]
    assert np.isnan(search.cv_results_["split0_test_score"][1])


def test_a_search_that_was_cut_off_goes_on(table, local_ray, tmp_path):
    log, storage = tmp_path / "fits.txt", tmp_path / "storage"

    class CutOff(tune.Callback):
        def on_trial_complete(self, iteration, trials, trial, **info):
            if not (tmp_path / "cut off").exists():
                (tmp_path / "cut off").touch()
                os.kill(os.getpid(), signal.SIGINT)  # Ctrl+C

    space = {"alpha": _in_turn(1.0, 2.0, 3.0)}
    search = _search(space, Witness(path=str(log)), cv=2, storage_path=storage, callbacks=[CutOff()])
    with pytest.raises(KeyboardInterrupt):
        search.fit(*table)
    assert log.read_text().split() == ["1.0", "1.0"]
    search.fit(*table)
    assert search.cv_results_["param_alpha"].tolist() == [1.0, 2.0, 3.0]
    # Nothing of the first candidate was done again; the last line is the best, fitted to all rows.
    assert log.read_text().split()[:-1] == ["1.0", "1.0", "2.0", "2.0", "3.0", "3.0"]
    # And a search that was over is only read.
    search.set_params(refit=False).fit(*table)
    assert len(log.read_text().split()) == 7


#: A search that is killed after its second candidate; Ray writes its state every ten seconds.
KILLED = """
import os, signal, sys
import ray
from ray import tune
from sklearn.datasets import load_diabetes
from _witness import Witness
from skstack.model_selection import RayTuneSearchCV

log, storage, address = sys.argv[1:]
ray.init(address=address, log_to_driver=False)
X, y = load_diabetes(return_X_y=True)
n_over = 0

class Killing(tune.Callback):
    def on_trial_complete(self, iteration, trials, trial, **info):
        global n_over
        n_over += 1
        if n_over == 2:
            os.kill(os.getpid(), signal.SIGKILL)

space = {"alpha": tune.grid_search([1.0, 2.0, 3.0])}
search = RayTuneSearchCV(
    Witness(path=log), space, n_trials=1, n_jobs=1, cv=2, random_state=0, storage_path=storage, callbacks=[Killing()]
)
search.fit(X[:100], y[:100])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_search_whose_process_was_killed_goes_on_in_another(table, local_ray, tmp_path):
    log, storage = tmp_path / "fits.txt", tmp_path / "storage"
    address = local_ray.get_runtime_context().gcs_address  # other tests may have started another Ray
    command = [sys.executable, "-c", KILLED, str(log), str(storage), address]
    died = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert log.read_text().split() == ["1.0", "1.0", "2.0", "2.0"]
    space = {"alpha": _in_turn(1.0, 2.0, 3.0)}
    search = _search(space, Witness(path=str(log)), cv=2, storage_path=storage, refit=False).fit(*table)
    undisturbed = GridSearchCV(Ridge(), {"alpha": [1.0, 2.0, 3.0]}, cv=2).fit(*table)
    for name in ("split0_test_score", "split1_test_score", "rank_test_score"):
        np.testing.assert_array_equal(search.cv_results_[name], undisturbed.cv_results_[name])
    # What was over when Ray last wrote its state is not done again; that is a matter of time.
    assert log.read_text().split().count("3.0") == 2


def test_a_half_written_state_is_replaced_by_the_one_kept(table, local_ray, tmp_path):
    search = _search({"alpha": _in_turn(1.0, 2.0)}, cv=2, storage_path=tmp_path, refit=False)
    scores = search.fit(*table).cv_results_["mean_test_score"]
    for path in tmp_path.glob("search_*/experiment_state-*.json"):
        path.write_bytes(path.read_bytes()[:-9])
    np.testing.assert_array_equal(search.fit(*table).cv_results_["mean_test_score"], scores)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_worker_that_is_killed_costs_a_second_try(table, local_ray, tmp_path):
    search = _search({"alpha": _in_turn(1.0, 10.0)}, Mortal(str(tmp_path / "died"))).fit(*table)
    undisturbed = GridSearchCV(Ridge(), {"alpha": [1.0, 10.0]}, cv=3).fit(*table)
    assert (tmp_path / "died").exists()
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], undisturbed.cv_results_["mean_test_score"])


def test_candidates_share_a_graphics_card(table, local_ray, tmp_path):
    halves = {"cpu": 1, "gpu": 0.5}
    estimator = Neighbour(folder=str(tmp_path))
    search = _search({"alpha": _in_turn(1.0, 10.0)}, estimator, n_jobs=2, cv=2, resources_per_trial=halves)
    search.set_params(scoring=facts, refit=False).fit(*table)
    assert search.cv_results_["mean_test_together"].tolist() == [1.0, 1.0]
    assert search.cv_results_["mean_test_on the first card"].tolist() == [1.0, 1.0]


def test_what_cannot_be_told_apart_cannot_be_kept(table, local_ray, tmp_path):
    class Unpicklable(Ridge):
        def __reduce__(self):
            raise TypeError("holds a connection")

    with pytest.raises(ValueError, match="storage_path needs"):
        _search({"alpha": [1.0]}, Unpicklable(), storage_path=tmp_path).fit(*table)


def test_an_error_of_a_worker_is_raised_here(table, local_ray):
    with pytest.raises(ValueError, match=re.escape("must be a float in the range")):
        _search({"alpha": [-1.0]}, error_score="raise").fit(*table)


def _named_badly(estimator, X, y):
    return {"bad": 1.0}


def test_a_score_that_is_not_there_is_an_error(table, local_ray):
    with pytest.raises(ValueError, match="the parameter refit must be set to a scorer key"):
        _search({"alpha": [1.0]}, scoring=_named_badly, refit="good").fit(*table)


def test_a_message_says_what_to_install(table, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'skstack[ray]'")):
        _search({}).fit(*table)


@pytest.mark.parametrize(
    "params, message",
    [
        ({"n_trials": 0}, "'n_trials' parameter"),
        ({"search_alg": "hyperopt"}, "'search_alg' parameter"),
        ({"scheduler": "asha"}, "'scheduler' parameter"),
        ({"time_budget_s": -1}, "'time_budget_s' parameter"),
        ({"resources_per_trial": 2}, "'resources_per_trial' parameter"),
        ({"storage_path": 3}, "'storage_path' parameter"),
        ({"callbacks": 3}, "'callbacks' parameter"),
        ({"param_distributions": {"alpa": [1.0]}}, "Invalid parameter 'alpa'"),
        ({"param_distributions": {"alpha": 1.0}}, "The parameter 'alpha' is searched in"),
    ],
)
def test_bad_parameters_are_errors_before_a_worker_begins(table, params, message):
    with pytest.raises((TypeError, ValueError), match=re.escape(message)):
        _search({"alpha": [1.0]}).set_params(**params).fit(*table)
