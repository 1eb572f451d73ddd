"""Candidates on their way through folds."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import check_scoring
from sklearn.model_selection import KFold, cross_validate

from skstack.model_selection._evaluation import Evaluation, Pruned, Trial

X = np.random.default_rng(0).normal(size=(30, 3))
Y = X @ [1.0, 2.0, 3.0]
SETTINGS = {"error_score": np.nan, "return_train_score": True, "verbose": 0}


def _evaluation(scoring=None, metric=None, weights=None):
    splits = list(KFold(3).split(X))
    metadata = {} if weights is None else {"sample_weight": weights}
    return Evaluation(Ridge(), splits, check_scoring(Ridge(), scoring), metric, metadata, metadata, SETTINGS)


@pytest.mark.parametrize("weights", [None, np.arange(30.0)])
def test_folds_are_those_of_scikit_learn(weights):
    evaluation = _evaluation(weights=weights)
    folds = [evaluation.fold(X, Y, {"alpha": 10.0}, index) for index in range(3)]
    expected = [
        Ridge(10.0).fit(X[train], Y[train], None if weights is None else weights[train])
        for train, _ in KFold(3).split(X)
    ]
    scores = [
        model.score(X[test], Y[test], None if weights is None else weights[test])
        for model, (_, test) in zip(expected, KFold(3).split(X), strict=True)
    ]
    np.testing.assert_allclose([fold["test_scores"] for fold in folds], scores)
    assert evaluation.score(folds) == pytest.approx(np.mean(scores))
    assert evaluation.estimator.alpha == 1.0


@pytest.mark.parametrize("metric, expected", [(None, "r2"), ("neg_max_error", "neg_max_error")])
def test_of_several_scores_the_named_or_first_one_leads(metric, expected):
    names = ["r2", "neg_max_error"]
    evaluation = _evaluation(names, metric)
    fold = evaluation.fold(X, Y, {}, 0)
    alone = cross_validate(Ridge(), X, Y, cv=[next(KFold(3).split(X))], scoring=names)
    assert evaluation.score([fold]) == pytest.approx(alone[f"test_{expected}"][0])


def _fold(score):
    return {"test_scores": score}


def test_what_is_told_is_the_mean_so_far_and_nothing_after_the_last_fold():
    told = []
    trial = Trial(_evaluation(), told.append)
    trial.hear(0.5)
    trial.run(iter([_fold(0.4), _fold(0.8)]))
    trial.hear(0.3)
    assert not trial.is_complete
    trial.run([_fold(0.0)])
    assert told == pytest.approx([0.5, 0.4, 0.6, 0.5])
    assert trial.is_complete


def test_a_trial_goes_on_after_the_folds_of_an_earlier_try():
    told = []
    trial = Trial(_evaluation(), told.append, [_fold(0.2)])
    trial.run([_fold(0.4)])
    assert told == pytest.approx([0.3])


def test_a_pruned_trial_keeps_the_folds_that_were_over_and_begins_no_other():
    begun = []

    def folds():
        for score in (0.2, 0.1, 0.3):
            begun.append(score)
            yield _fold(score)

    def report(score):
        if score < 0.2:
            raise Pruned

    trial = Trial(_evaluation(), report)
    with pytest.raises(Pruned):
        trial.run(folds())
    assert begun == [0.2, 0.1]
    assert trial.results == [_fold(0.2), _fold(0.1)]
