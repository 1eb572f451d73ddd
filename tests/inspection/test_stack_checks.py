"""Faults of a stack are found."""

import numpy as np
from _checked import clean_table, fitted_stack
from sklearn.linear_model import LinearRegression, Ridge

from skstack.inspection import check_stack


class _Constant(LinearRegression):
    """Predicts the mean."""

    def predict(self, X):
        return np.full(len(X), self.intercept_)

    def fit(self, X, y, sample_weight=None):
        super().fit(np.zeros_like(X), y)
        return self


def test_a_modality_without_any_weight_is_dead():
    X, y = clean_table()
    stack = fitted_stack(X, y, final_estimator=LinearRegression())
    assert check_stack(stack, X, y, checks=["dead_modality"]) == []
    stack.final_estimator_.coef_[1] = 0
    (finding,) = check_stack(stack, X, y, checks=["dead_modality"])
    assert "'other'" in finding.message


def test_a_stack_below_its_best_base_model_is_found():
    X, y = clean_table()
    stack = fitted_stack(X, y, final_estimator=_Constant())
    (finding,) = check_stack(stack, X, y, checks=["below_best_member"])
    assert "'one'" in finding.message
    guarded = fitted_stack(X, y, final_estimator=_Constant(), guard=True)
    assert check_stack(guarded, X, y, checks=["below_best_member"]) == []


def test_a_stack_that_is_below_by_nothing_to_speak_of_is_not():
    X, y = clean_table()
    stack = fitted_stack(X, y, final_estimator=_Constant())
    for difference, n_found in ((-0.05, 0), (-0.2, 1)):
        report = stack.stack_report_.copy()
        report.loc[report["used"], ["standard_error", "difference", "difference_standard_error"]] = (
            1.0,
            difference,
            0.01,
        )
        stack.stack_report_ = report
        assert len(check_stack(stack, X, y, checks=["below_best_member"])) == n_found


def test_base_models_that_take_turns_have_unstable_weights():
    X, y = clean_table(60)
    X["again"] = X["area"] + 1e-3 * np.random.default_rng(0).normal(size=60)
    twins = [("one", Ridge(), ["area"]), ("other", Ridge(), ["again"])]
    stack = fitted_stack(X, y, twins, final_estimator=LinearRegression())
    found = check_stack(stack, X, y, checks=["unstable_weights"])
    assert {finding.severity for finding in found} == {"tip"}
    assert check_stack(fitted_stack(X, y, final_estimator=LinearRegression()), X, y, checks=["unstable_weights"]) == []
