"""Our checks in reports of skore."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow
import pytest
from _inspected import search_of
from sklearn.linear_model import Ridge

from skstack import MultimodalStackingRegressor
from skstack.inspection import skstack_checks

CODES = ["SKS001", "SKS002", "SKS003", "SKS004", "SKS005", "SKS006"]


def test_checks_have_what_skore_asks_for_without_skore():
    checks = skstack_checks()
    assert [check.code for check in checks] == CODES
    for check in checks:
        assert check.title
        assert check.severity in ("issue", "tip")
        assert check.report_types == ["estimator", "cross-validation"]
    with pytest.raises(ValueError, match="there is no check"):
        skstack_checks(["leaks"])


@pytest.mark.filterwarnings("ignore")  # of skore's own, and of what it imports
def test_a_report_of_skore_finds_a_planted_leak():
    skore = pytest.importorskip("skore", reason="skore is not installed: pip install skstack[skore]")
    generator = np.random.default_rng(0)
    X = pd.DataFrame(generator.normal(size=(90, 2)), columns=["area", "age"])
    y = (X["area"] + X["age"] + 0.5 * generator.normal(size=90)).to_numpy()
    stack = MultimodalStackingRegressor([("one", Ridge(), ["area"]), ("other", Ridge(), ["age"])], cv=3)
    checks = skstack_checks(groups=np.arange(90) % 30)
    report = skore.evaluate(stack, X, y, splitter=3)
    report.checks.add(checks)
    sections = report.checks.summarize().frame().set_index("code")["section"]
    assert sections[CODES].to_dict() == {**dict.fromkeys(CODES, "passed"), "SKS004": "issue"}
    fitted = skore.EstimatorReport(stack.fit(X, y), X_test=X, y_test=y)
    fitted.checks.add(checks)
    sections = fitted.checks.summarize().frame().set_index("code")["section"]
    assert set(sections[CODES]) == {"not_applicable"}  # nobody knows the rows that it was fitted to


def test_the_best_one_of_a_search_and_tables_of_others():
    X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 2)), columns=["area", "age"])
    X.loc[59] = X.loc[0]
    stack = MultimodalStackingRegressor([("one", Ridge(), ["area"]), ("other", Ridge(), ["age"])], cv=3)
    stack.fit(X, X["area"])
    (check,) = skstack_checks("duplicates")
    report = SimpleNamespace(
        estimator_=search_of(stack), X_train=pyarrow.Table.from_pandas(X), y_train=X["area"].to_numpy()
    )
    assert "by position 0 and 59" in check.check_function(report)
