"""Sections of a report say what is so."""

import numpy as np
import pytest
from _inspected import fitted_network, fitted_regressor, table
from matplotlib import pyplot as plt

from skstack.inspection._check import NotApplicable
from skstack.inspection._report import Reported
from skstack.inspection._report_sections import data, findings, scores, settings


def _reported(stack=None, X=None, **changed):
    X = table()[0] if X is None else X
    given = {"groups": None, "X_test": X, "y_test": table()[1], "is_held_out": False, "n_examples": 2}
    stack = fitted_regressor() if stack is None else stack
    return Reported(stack, X, table()[1], random_state=0, **{**given, **changed})


def test_data_tells_kinds_gaps_and_readers():
    X = table()[0].copy()
    X.iloc[:9, 0] = np.nan
    columns, target = data(_reported(X=X.assign(extra=1.5))).blocks
    rows = {row[0]: row[1:] for row in columns.rows}
    assert rows["area"][0] == "numeric" and rows["area"][1] == "10.0%"
    assert rows["area"][4] == "numbers, ridge"
    assert rows["city"][2] == "3" and rows["city"][3] == X["city"].iloc[0]
    assert rows["extra"][4] == "nobody"
    assert target.rows[0][1] == f"{table()[1].min():,.6g}"


def test_scores_are_those_of_the_report_with_errors():
    stack = fitted_regressor()
    with plt.ioff():
        lines, _ = scores(_reported()).blocks
    line = stack.stack_report_.loc["base model", "ridge"]
    assert ["base model", "ridge", f"{line['score']:.4f} ± {line['standard_error']:.4f}"] in [r[:3] for r in lines.rows]
    (marked,) = lines.marked
    assert lines.rows[marked][1] == type(stack.final_estimator_).__name__


def test_findings_are_counted_and_their_absence_is_said():
    reported = _reported(groups=np.arange(90) % 45)
    section = findings(reported)
    assert any("leaking_groups" in block.text for block in section.blocks)
    assert reported.n_findings == len(section.blocks)


def test_settings_are_code_that_makes_the_parts():
    code, parameters, versions = settings(_reported()).blocks
    scope = {}
    exec(code.text, scope)
    assert [name for name, *_ in scope["estimators"]] == ["numbers", "place", "ridge"]
    assert ["training", "'joint'"] in parameters.rows
    assert "skstack" in dict(versions.rows)


def test_a_network_has_no_scores_of_base_models():
    with pytest.raises(NotApplicable):
        scores(_reported(fitted_network()))
