"""Estimators as code."""

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skstack import MultimodalNetworkRegressor, Stage
from skstack.branches import CategoricalBranch, ImageBranch, NumericBranch
from skstack.preprocessing import TableReader
from skstack.suggestion._code import code_of_parts

PARTS = [
    ("numbers", NumericBranch((8,), scale="robust", dropout=0.1), ["a", "b"]),
    ("photo", ImageBranch(size=(8, 8), root="here"), [2]),
    ("network", MultimodalNetworkRegressor([("zip", CategoricalBranch(), ["zip"])], epochs=3), None),
    ("linear", make_pipeline(StandardScaler(), Ridge(3.0)), "a"),
    ("named", Pipeline([("scale", StandardScaler()), ("model", LogisticRegression(C=0.3))]), slice(0, 2)),
    ("log", TransformedTargetRegressor(Ridge(), func=np.log, inverse_func=np.exp), ["a", "b"]),
    ("text", ColumnTransformer([("t", TfidfVectorizer(dtype=np.float32), "a")], remainder=OneHotEncoder()), ["a"]),
    ("reader", TableReader(numbers={"a": 2}, texts=["b"]), np.array([0, 1])),
    ("function", FunctionTransformer(np.log1p, kw_args={"where": True}), [0]),
    ("stage", Stage(epochs=2), [float("inf"), float("nan")]),
]


@pytest.mark.parametrize("part", PARTS, ids=[name for name, *_ in PARTS])
def test_code_makes_the_same_parts(part):
    made = {}
    exec(code_of_parts([part]), made)
    assert repr(made["estimators"]) == repr([(*part[:2], part[2].tolist() if part[0] == "reader" else part[2])])


def test_only_what_differs_from_the_default_is_written():
    assert code_of_parts([("numbers", NumericBranch(), ["a"])]) == (
        "from skstack.branches import NumericBranch\n\nestimators = [\n    ('numbers', NumericBranch(), ['a']),\n]"
    )


def test_columns_of_several_parts_are_written_once():
    columns = ["first", "second"]
    code = code_of_parts([("a", Ridge(), columns), ("b", Ridge(2.0), list(columns)), ("c", Ridge(), ["first"])])
    assert code.count("'second'") == 1
    assert "columns = ['first', 'second']\nestimators = [" in code
    made = {}
    exec(code, made)
    assert [columns for *_, columns in made["estimators"]] == [columns, columns, ["first"]]


def test_long_code_is_broken_into_lines():
    names = [f"a rather long name of a column {number}" for number in range(20)]
    code = code_of_parts([("linear", make_pipeline(TableReader(categories=names), StandardScaler(), Ridge()), names)])
    assert max(map(len, code.splitlines())) <= 100
    made = {}
    exec(code, made)
    assert made["estimators"][0][1][0].categories == names
