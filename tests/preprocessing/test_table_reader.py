"""Cells read as what they are told to be."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from skrub import TableVectorizer, ToCategorical

from skstack.preprocessing import TableReader, tensor_column

X = pd.DataFrame(
    {
        "power": ["87 bhp @ 6000 rpm", None, "74 bhp"],
        "zip": [92276, 92677, 92276],
        "review": ["Lovely", None, "Too small"],
        "age": [1.5, np.nan, 3.0],
    },
    index=[3, 1, 2],
)
READER = TableReader(numbers={"power": 2}, categories=["zip"], texts=["review"])


def test_columns_become_what_they_are_said_to_hold():
    table = READER.fit_transform(X)
    assert list(table.columns) == list(READER.get_feature_names_out()) == ["power", "power (2)", "zip", "review", "age"]
    assert list(table.index) == [3, 1, 2]
    np.testing.assert_array_equal(table[["power", "power (2)"]], [[87, 6000], [np.nan] * 2, [74, np.nan]])
    assert isinstance(table["zip"].dtype, pd.CategoricalDtype)
    assert table["zip"].tolist() == ["92276", "92677", "92276"]
    assert table["review"].tolist() == ["Lovely", "", "Too small"]
    np.testing.assert_array_equal(table["age"], X["age"])


def test_words_around_numbers_become_a_category():
    age = pd.DataFrame({"age": ["3 weeks", "1 week", "2 years", None, 5]}, index=[4, 3, 2, 1, 0])
    reader = TableReader(numbers={"age": 1}, words=["age"])
    table = reader.fit_transform(age)
    assert list(table.columns) == list(reader.get_feature_names_out()) == ["age", "age (words)"]
    np.testing.assert_array_equal(table["age"], [3, 1, 2, np.nan, 5])
    assert isinstance(table["age (words)"].dtype, pd.CategoricalDtype) and list(table.index) == [4, 3, 2, 1, 0]
    assert table["age (words)"].astype(object).fillna("none").tolist() == ["# week", "# week", "# year", "none", "none"]
    with pytest.raises(ValueError, match="'words' names columns that are not among 'numbers'"):
        TableReader(words=["age"]).fit(age)


def test_codes_become_categories_and_numbers():
    codes = pd.DataFrame({"zip": pd.Categorical(["92276", "none", None, "06902"])}, index=[4, 3, 2, 1])
    reader = TableReader(numbers={"zip": 1}, categories=["zip"])
    table = reader.fit_transform(codes)
    assert list(table.columns) == list(reader.get_feature_names_out()) == ["zip", "zip (number)"]
    assert table["zip"].astype(object).fillna("gap").tolist() == ["92276", "none", "gap", "06902"]
    np.testing.assert_array_equal(table["zip (number)"], [92276, np.nan, np.nan, 6902])
    assert list(table.index) == [4, 3, 2, 1]
    two = TableReader(numbers={"zip": 2}, categories=["zip"]).fit_transform(codes.assign(zip=["1-2"] * 4))
    assert list(two.columns) == ["zip", "zip (number)", "zip (number 2)"]


def test_dates_are_read_and_what_is_none_is_a_gap():
    texts = pd.DataFrame({"day": ["31/01/2026", "unknown", None], "at": ["2026-01-31T10:00+01:00", "2026-07-31", 3]})
    table = TableReader(dates={"day": "%d/%m/%Y", "at": None}).fit_transform(texts)
    assert list(table["day"]) == [pd.Timestamp("2026-01-31"), pd.NaT, pd.NaT]
    assert list(table["at"]) == [pd.Timestamp("2026-01-31 09:00"), pd.Timestamp("2026-07-31"), pd.NaT]


def test_rows_may_come_in_other_containers():
    table = READER.fit_transform(X)
    from_polars = READER.fit_transform(pl.from_pandas(X.reset_index(drop=True)))
    pd.testing.assert_frame_equal(from_polars, table.reset_index(drop=True), check_dtype=False)
    array = TableReader(numbers={0: 2}, categories=[1], texts=[2]).fit(X.to_numpy(dtype=object))
    assert list(array.get_feature_names_out()) == ["0", "0 (2)", "1", "2", "3"]
    pd.testing.assert_frame_equal(
        array.transform(X.to_numpy(dtype=object)).set_axis(table.columns, axis=1),
        table.reset_index(drop=True),
        check_dtype=False,
    )


def test_sparse_columns_become_dense():
    sparse = pd.DataFrame({"rare": pd.arrays.SparseArray([0.0, 0.0, 2.5])})
    table = TableReader().fit_transform(sparse)
    assert table["rare"].dtype == "float64"
    assert table["rare"].tolist() == [0.0, 0.0, 2.5]


def test_codes_are_the_same_whatever_type_holds_them():
    reader = TableReader(categories=["zip"]).fit(X[["zip"]])
    as_float = pd.DataFrame({"zip": [92276.0, np.nan]})
    assert reader.transform(as_float)["zip"].tolist() == ["92276", np.nan]
    objects = pd.DataFrame({"zip": pd.Series([b"92276", ("a", "b"), None, True], dtype=object)})
    assert reader.transform(objects)["zip"].tolist()[:2] == ["92276", "a; b"]


def test_texts_of_lists_are_joined():
    reader = TableReader(texts=["tags"])
    tags = pd.DataFrame({"tags": pd.Series([["red", "dry"], [], None], dtype=object)})
    assert reader.fit_transform(tags)["tags"].tolist() == ["red; dry", "", ""]


def test_skrub_takes_what_is_read():
    encoded = TableVectorizer(low_cardinality=ToCategorical()).fit_transform(READER.fit_transform(X))
    assert isinstance(encoded["zip"].dtype, pd.CategoricalDtype)
    assert encoded["power"].tolist()[::2] == [87.0, 74.0]


@pytest.mark.parametrize(
    ("params", "rows", "message"),
    [
        ({"categories": ["zipp"]}, X, "Some column names are not columns of the dataframe.*Did you mean 'zip'"),
        ({"numbers": ["power"]}, X, "The 'numbers' parameter of TableReader must be"),
        ({"texts": [9]}, X.to_numpy(dtype=object), "all features must be in"),
    ],
)
def test_columns_that_are_not_there_are_an_error(params, rows, message):
    with pytest.raises(ValueError, match=message):
        TableReader(**params).fit(rows)


def test_other_columns_than_in_training_are_an_error():
    with pytest.raises(ValueError, match="feature names"):
        READER.fit(X).transform(X.rename(columns={"age": "years"}))


def test_it_is_cloned_by_its_parameters():
    assert clone(READER).get_params() == READER.get_params()


def test_what_is_not_named_stays_as_it_is():
    tensors = pd.DataFrame({"photo": tensor_column(np.zeros((2, 3, 3)))})
    assert TableReader().fit_transform(tensors)["photo"].dtype == tensors["photo"].dtype
