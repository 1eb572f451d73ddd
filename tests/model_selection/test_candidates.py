"""The table of candidates."""

import numpy as np
import pytest
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from skstack.model_selection._candidates import Candidates


def _fold(score, error=None):
    return {"test_scores": score, "fit_error": error, "fit_time": 1.0, "score_time": 0.5, "n_test_samples": 3}


def _table(candidates, with_pruned=True):
    return candidates.table(GridSearchCV(Ridge(), {})._format_results, with_pruned)


def test_candidates_stand_in_the_order_of_their_suggestion():
    candidates = Candidates(1, np.nan)
    candidates.add(1, {"alpha": 2}, [_fold(0.2)])
    candidates.add(0, {"alpha": 1}, [_fold(0.1)])
    assert 0 in candidates
    assert 2 not in candidates
    table = _table(candidates, with_pruned=False)
    assert table["params"] == [{"alpha": 1}, {"alpha": 2}]
    assert table["mean_test_score"].tolist() == [0.1, 0.2]
    assert "pruned" not in table


@pytest.mark.parametrize("scores", [0.9, {"r2": 0.9, "error": -3.0}])
def test_folds_that_were_not_begun_have_no_score_and_rank_last(scores):
    candidates = Candidates(2, np.nan)
    candidates.add(0, {"alpha": 1}, [])
    candidates.add(1, {"alpha": 2}, [_fold(scores)])
    candidates.add(2, {"alpha": 3}, [_fold(scores), _fold(scores)])
    table = _table(candidates)
    name = "r2" if isinstance(scores, dict) else "score"
    assert table["pruned"].tolist() == [True, True, False]
    np.testing.assert_array_equal(table[f"split0_test_{name}"], [np.nan, 0.9, 0.9])
    np.testing.assert_array_equal(table[f"mean_test_{name}"], [np.nan, np.nan, 0.9])
    assert table[f"rank_test_{name}"].tolist() == [2, 2, 1]


def test_failed_fits_get_a_score_for_each_name_and_are_warned_of():
    candidates = Candidates(1, -1.0)
    candidates.add(0, {}, [_fold(-1.0, error="broken")])
    candidates.add(1, {}, [_fold({"r2": 0.5})])
    assert _table(candidates)["mean_test_r2"].tolist() == [-1.0, 0.5]
    with pytest.warns(FitFailedWarning, match="1 fits failed"):
        candidates.check()


def test_the_best_is_one_that_came_to_its_end():
    candidates = Candidates(2, np.nan)
    candidates.add(0, {}, [_fold(0.9)])
    assert candidates.best(lambda results: np.mean([fold["test_scores"] for fold in results])) is None
    candidates.add(1, {}, [_fold(0.1), _fold(0.3)])
    candidates.add(2, {}, [_fold(np.nan), _fold(0.3)])
    assert candidates.best(lambda results: np.mean([fold["test_scores"] for fold in results])) == pytest.approx(0.2)


def test_a_search_that_pruned_everything_is_an_error():
    candidates = Candidates(2, np.nan)
    candidates.add(0, {}, [_fold(0.9)])
    with pytest.raises(ValueError, match="None of 1 candidates was evaluated on all 2 folds"):
        candidates.check()
