"""What estimators of several tasks have in common."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, is_classifier, is_regressor
from sklearn.metrics import get_scorer

from skstack.tasks._classification import ClassificationTask
from skstack.tasks._multitask import MultitaskMixin
from skstack.tasks._regression import RegressionTask

Y = pd.DataFrame({"diff": [1.0, np.nan, 3.0, 5.0], "won": ["yes", "no", None, "yes"]})
X = pd.DataFrame({"diff": [1.0, 9.0, 3.0, 5.0], "chance": [0.8, 0.7, 0.5, 0.9]}, index=list("abcd"))


class Reader(MultitaskMixin, BaseEstimator):
    """Reads what it predicts from X."""

    def fit(self, X, y):
        """Learn the classes."""
        self.tasks_ = {"diff": RegressionTask(True), "won": ClassificationTask("Reader", allow_missing=True)}
        for name, task in self.tasks_.items():
            task.fit(task.check(y[name]))
        return self

    def predict_tasks(self, X):
        """Return the columns of X."""
        chance = X["chance"].to_numpy()
        return {"diff": X["diff"].to_numpy(), "won": np.column_stack([1 - chance, chance])}


@pytest.fixture
def reader():
    return Reader().fit(X, Y)


def test_predictions_are_a_table_and_probabilities_are_by_task(reader):
    predictions = reader.predict(X)
    assert predictions.index.tolist() == list("abcd")
    assert predictions["won"].tolist() == ["yes", "yes", "no", "yes"]
    assert predictions["diff"].tolist() == [1.0, 9.0, 3.0, 5.0]
    assert list(reader.predict_proba(X)) == ["won"]
    assert reader.classes_["won"].tolist() == ["no", "yes"]


def test_the_score_is_the_mean_over_tasks_of_rows_that_have_the_target(reader):
    assert reader.score(X, Y) == pytest.approx((1 + 2 / 3) / 2)
    assert reader.score(X, Y, sample_weight=[1, 2, 1, 1]) == pytest.approx((1 + 1 / 2) / 2)


def test_a_task_is_an_estimator_of_its_own(reader):
    diff, won = reader.for_task("diff"), reader.for_task("won")
    assert is_regressor(diff) and is_classifier(won)
    assert get_scorer("r2")(diff, X.iloc[[0, 2, 3]], Y["diff"].dropna()) == 1
    known = Y["won"].notna().to_numpy()
    assert get_scorer("roc_auc")(won, X[known], Y["won"][known]) == 1
    assert won.fit(X, Y["won"]) is won


def test_unknown_tasks_and_unfitted_estimators_are_refused(reader):
    with pytest.raises(ValueError, match=r"there is no task 'dif'\. Did you mean 'diff'"):
        reader.for_task("dif")
    assert not hasattr(Reader(), "classes_")


def test_there_are_probabilities_where_there_are_classes(reader):
    assert hasattr(Reader(), "predict_proba") and hasattr(reader, "predict_proba")
    reader.tasks_.pop("won")
    assert not hasattr(reader, "predict_proba")
