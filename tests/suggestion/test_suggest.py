"""From a table to the parts of a stack."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from _data import plain_table

from skstack import suggest_estimators

RNG = np.random.default_rng(0)


def test_every_column_has_a_reason():
    X, y = plain_table()
    reasons = suggest_estimators(X, y).reasons
    assert list(reasons.index) == list(X.columns)
    assert reasons["reason"].str.len().min() > 3
    assert reasons.loc["sold", "parts"] == "dates, boosting, trees, linear, svr"
    assert reasons.loc["source", "parts"] == ""
    assert (reasons["warning"] == "").all()


def test_what_the_user_knows_counts():
    X, y = plain_table()
    suggested = suggest_estimators(X, y, kinds={"zip": "numeric", "review": "drop"}, quality="fast")
    parts = {name: columns for name, _, columns in suggested}
    assert parts["numbers"] == ["area", "zip"]
    assert "text_review" not in parts and "trees" not in parts
    assert suggested.reasons.loc["review", "kind"] == "drop"


def test_columns_that_give_the_target_away_are_warned_about():
    X, y = plain_table(100)
    with pytest.warns(UserWarning, match=r"may give the target away: 'price': it .*\. If they are not known"):
        suggested = suggest_estimators(X.assign(price=2 * y), y)
    assert suggested.reasons.loc["price", "warning"] and suggested.reasons.loc["price", "parts"]
    assert "# warning: 'price'" in repr(suggested)


def test_a_running_number_is_used_where_there_is_nothing_else():
    X = pd.DataFrame({"x": np.arange(30)})
    assert suggest_estimators(X, RNG.normal(size=30)).reasons["kind"].tolist() == ["numeric"]


@pytest.mark.parametrize(
    ("X", "params", "message"),
    [
        ({"a": ["x"] * 30}, {}, r"No column of X is of use \('a': constant, 'x' in every row\)\. Say by 'kinds'"),
        ({"a": range(30)}, {"quality": "god"}, "'quality' should be one of .*Did you mean 'good'"),
        ({"a": range(30)}, {"task": "regresion"}, "'task' should be one of .*Did you mean 'regression'"),
        ({"a": range(30)}, {"kinds": {"b": "text"}}, "'kinds' names 'b', which is no column of X"),
        ({"a": range(29)}, {}, "inconsistent numbers of samples"),
    ],
)
def test_what_cannot_be_used_is_an_error(X, params, message):
    with pytest.raises(ValueError, match=message):
        suggest_estimators(pd.DataFrame(X), RNG.normal(size=30), **params)


def test_a_single_row_is_an_error():
    with pytest.raises(ValueError, match="n_samples=1"):
        suggest_estimators([[1.0, 2.0]], [1.0])


def test_names_that_come_twice_are_an_error():
    X = pd.DataFrame(RNG.normal(size=(30, 2)), columns=["a", "a"])
    with pytest.raises(ValueError, match="X has several columns called 'a'"):
        suggest_estimators(X, RNG.normal(size=30))


def test_lists_and_vectors_are_tables_too():
    assert suggest_estimators(RNG.normal(size=30).tolist(), RNG.normal(size=30))[0][2] == [0]
    assert suggest_estimators([["a", 1.5], ["b", 2.5], ["a", 0.5]] * 10, [1.0, 2.0, 3.0] * 10).reasons["kind"].tolist()


def test_suggesting_for_a_table_needs_no_keras():
    code = (
        "import sys, numpy as np, skstack\n"
        "skstack.suggest_estimators(np.random.default_rng(0).normal(size=(30, 2)), np.arange(30.0) ** 2)\n"
        "print([name for name in ('keras', 'tensorflow', 'jax', 'scikeras') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_photos_that_are_not_found_are_warned_about(tmp_path):
    X = pd.DataFrame({"size": np.arange(20.0) ** 0.5, "photo": [f"{x}.jpg" for x in range(20)]})
    y = np.arange(20.0)
    with pytest.warns(UserWarning, match=r"left out: 'photo': paths of images, none .* in .*: give another"):
        suggested = suggest_estimators(X, y, image_root=tmp_path)
    assert suggested.reasons["kind"].to_dict() == {"size": "numeric", "photo": "drop"}
    suggest_estimators(X, y, image_root=tmp_path, kinds={"photo": "drop"})  # a warning would be an error here
    with pytest.raises(FileNotFoundError, match=r"'image_root' should be a folder: there is none at '.*typo'"):
        suggest_estimators(X, y, image_root=tmp_path / "typo")


def test_columns_that_no_part_takes_are_warned_about():
    wait, notes = pd.to_timedelta(np.arange(20.0), unit="h"), [{"n": x} for x in range(20)]
    X = pd.DataFrame({"size": np.arange(20.0) ** 0.5, "one": 1.0, "wait": wait, "notes": notes})
    with pytest.warns(UserWarning, match="left out: 'wait': differences of dates.*; 'notes': cells are of type dict"):
        suggest_estimators(X, np.arange(20.0))
