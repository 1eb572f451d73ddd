"""Scorers of single tasks."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.metrics import log_loss, make_scorer, mean_absolute_error
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skstack.tasks import make_task_scorer, make_task_scorers
from skstack.tasks._classification import ClassificationTask
from skstack.tasks._multitask import MultitaskMixin
from skstack.tasks._regression import RegressionTask

Y = pd.DataFrame({"diff": [1.0, np.nan, 3.0, 5.0], "won": ["yes", "no", None, "yes"]})
PROBABILITIES = np.array([[0.2, 0.8], [0.6, 0.4], [0.5, 0.5], [0.3, 0.7]])


class Oracle(MultitaskMixin, BaseEstimator):
    """Predicts the first numbers of X, and fixed probabilities."""

    def __init__(self):
        self.tasks_ = {"diff": RegressionTask(True), "won": ClassificationTask("Oracle", allow_missing=True)}
        for name, task in self.tasks_.items():
            task.fit(task.check(Y[name]))

    def fit(self, X, y):
        """Learn nothing."""
        return self

    def predict_tasks(self, X):
        """Return what rows say for themselves."""
        return {"diff": X[:, 0], "won": PROBABILITIES[X[:, 1].astype(int)]}


X = np.column_stack([[1.5, 9.0, 3.0, 4.0], np.arange(4)])


def test_a_task_is_scored_by_the_rows_that_have_its_target():
    assert make_task_scorer("diff", "neg_mean_absolute_error")(Oracle(), X, Y) == -0.5
    expected = -log_loss([1, 0, 1], PROBABILITIES[[0, 1, 3], 1])
    assert make_task_scorer("won", "neg_log_loss")(Oracle(), X, Y) == pytest.approx(expected)
    assert make_task_scorer("won")(Oracle(), X, Y) == 1
    own = make_scorer(mean_absolute_error, greater_is_better=False)
    assert make_task_scorer("diff", own)(Oracle(), X, Y) == -0.5


def test_pipelines_and_searches_are_scored_by_what_they_end_with():
    scorer = make_task_scorer("won", "neg_log_loss")
    expected = scorer(Oracle(), X, Y)
    piped = make_pipeline(FunctionTransformer(), Oracle())
    assert scorer(piped.fit(X, Y), X, Y) == expected
    search = GridSearchCV(piped, {"functiontransformer__validate": [True]}, scoring=scorer, cv=2)
    assert scorer(search.fit(X, Y.fillna({"won": "no", "diff": 0})), X, Y) == expected
    with pytest.raises(TypeError, match=r"Ridge\(\) does not predict several tasks"):
        scorer(Ridge(), X, Y)
    with pytest.raises(ValueError, match=r"there is no task 'wonn'\. Did you mean 'won'\?"):
        make_task_scorer("wonn")(piped, X, Y)


def test_weights_of_rows_go_with_their_rows():
    scorer = make_task_scorer("diff", "neg_mean_absolute_error")
    assert scorer(Oracle(), X, Y, sample_weight=np.array([2.0, 9.0, 1.0, 1.0])) == -0.5
    assert scorer(Oracle(), X, Y, sample_weight=np.array([0.0, 9.0, 0.0, 1.0])) == -1


def test_a_target_that_no_row_has_is_an_error():
    with pytest.raises(ValueError, match="none of the 4 rows to score has a target of the task 'diff'"):
        make_task_scorer("diff")(Oracle(), X, Y.assign(diff=np.nan))
    with pytest.raises(ValueError, match=r"there is no task 'win'\. Did you mean 'won'"):
        make_task_scorer("win")(Oracle(), X, Y)


def test_several_scorers_have_names_of_their_own_and_can_be_sent_elsewhere():
    scorers = make_task_scorers({"diff": None, "won": ["accuracy", "neg_log_loss"]})
    assert list(scorers) == ["diff", "won_accuracy", "won_neg_log_loss"]
    again = pickle.loads(pickle.dumps(scorers["won_accuracy"]))
    assert again(Oracle(), X, Y) == 1
    assert repr(again) == "make_task_scorer('won', 'accuracy')"
