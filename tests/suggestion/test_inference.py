"""What a single column holds."""

import datetime
import decimal
import io

import numpy as np
import pandas as pd
import PIL.Image
import pyarrow as pa
import pytest

from skstack.preprocessing import tensor_column
from skstack.suggestion._inference import infer, infer_shape

N = 60
RNG = np.random.default_rng(0)
_PNG = io.BytesIO()
PIL.Image.new("RGB", (4, 4)).save(_PNG, "PNG")


def _objects(cells):
    return pd.Series(list(cells), dtype=object)


def _kind(cells, name=""):
    return infer(cells if isinstance(cells, pd.Series) else pd.Series(cells), name)[0]


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("numeric", RNG.normal(size=N)),
        ("numeric", RNG.integers(1950, 2020, N)),
        ("numeric", RNG.integers(1, 6, N)),
        ("numeric", pd.array([*RNG.integers(0, 50, N - 1), None], dtype="Int64")),
        ("numeric", pd.array(RNG.normal(size=N), dtype=pd.ArrowDtype(pa.float64()))),
        ("numeric", _objects(decimal.Decimal(int(x)) / 100 for x in RNG.integers(0, 10**5, N))),
        ("numeric", [f"{x:.3f}" for x in RNG.normal(size=N)]),
        ("numeric_text", _objects("n/a" if x > 1.6 else x for x in RNG.normal(size=N))),
        ("boolean", RNG.random(N) < 0.5),
        ("boolean", pd.array(RNG.random(N) < 0.5, dtype="boolean")),
        ("boolean", _objects([True, False, None] * 20)),
        ("boolean", [0, 1] * 30),
        ("boolean", _objects(["x", None] * 30)),
        ("categorical", pd.Categorical(["a", "b", "c"] * 20)),
        ("categorical", pd.Categorical([1, 2, 3] * 20)),
        ("categorical", pd.array(["a", "b", "c"] * 20, dtype="string")),
        ("categorical", _objects([1, "a", 2.5, "b"] * 15)),
        ("categorical", _objects([b"red", b"blue", b"green"] * 20)),
        ("id", pd.Categorical([f"a{x}" for x in range(N)])),
        ("text", pd.Categorical([f"{'abcdef'[x % 6]}{x} is a good old one" for x in range(N)])),
        ("date", pd.date_range("2020", periods=N, freq="h")),
        ("date", pd.date_range("2020", periods=N, tz="Europe/Berlin")),
        ("date", pd.period_range("2000-01", periods=N, freq="M")),
        ("date", _objects(datetime.date(2020, 1, 1 + x % 28) for x in range(N))),
        ("drop", pd.to_timedelta(RNG.integers(0, 99, N), unit="s")),
        ("drop", _objects(datetime.time(x % 24) for x in range(N))),
        ("drop", _objects({"a": x} for x in range(N))),
        ("drop", RNG.normal(size=N) + 1j),
        ("drop", _objects([[[1.0, 2.0], [3.0]]] * N)),
        ("sequence", _objects([[[1.0, 2.0], [3.0, 4.0]]] * N)),
        ("constant", ["x"] * N),
        ("constant", [None] * N),
        ("constant", np.full(N, np.nan)),
        ("image", _objects([_PNG.getvalue()] * N)),
        ("image", _objects([PIL.Image.new("L", (4, 4))] * N)),
        ("image", _objects(RNG.integers(0, 255, (N, 8, 8, 3), dtype="uint8"))),
        ("image", tensor_column(np.zeros((N, 8, 8, 1)))),
        ("sequence", tensor_column(np.zeros((N, 20, 2)))),
        ("sequence", _objects(RNG.normal(size=(N, 12)))),
        ("sequence", _objects([1.0] * (3 + x % 5) for x in range(N))),
        ("text", _objects([["red", "dry"], [], ["sweet"]] * 20)),
        ("text", _objects([*(f"{x}{y} is a good old one" for x in "abcdefg" for y in "hijklmn"), 10])),
        ("date", _objects([*pd.date_range("2020", periods=N), "unknown"])),
        ("numeric_text", _objects(f"${x:,.0f}" if x % 5 < 2 else x for x in RNG.integers(0, 10**5, N))),
        ("drop", _objects([*pd.date_range("2020", periods=N), *pd.date_range("2020", periods=N, tz="UTC")])),
    ],
)
def test_kinds_of_columns(kind, cells):
    assert _kind(cells) == kind


@pytest.mark.parametrize(
    ("kind", "name", "cells"),
    [
        ("id", "row", range(N)),
        ("numeric", "year", range(1900, 1900 + N)),
        ("numeric", "price_index", RNG.permutation(10**6)[:N]),
        ("numeric", "air quality index", RNG.integers(0, 9, N)),
        ("numeric", "ts", 1500000000 + RNG.permutation(10**5)[:N]),
        ("id", "customer_id", RNG.permutation(10**6)[:N]),
        ("id", "isbn", 9780000000000 + RNG.permutation(10**6)[:N]),
        ("numeric", "created_at", 1500000000 + RNG.permutation(10**6)[:N]),
        ("numeric", "deadline", 1300000000 + RNG.permutation(10**5)[:N] * 1000),
        ("numeric", "deadline", map(str, 1300000000 + RNG.permutation(10**5)[:N] * 1000)),
        ("numeric", "launched", 1300000000000 + RNG.permutation(10**6)[:N] * 99_999),
        ("id", "order", 1300000000 + RNG.permutation(10**6)[:N]),  # within days
        ("id", "phone", 2000000000 + RNG.permutation(10**6)[:N] * 6_999),
        ("numeric", "price", RNG.permutation(10**6)[:N]),
        ("numeric", "", range(N)),  # an array has no names that could say more
        ("numeric", "few", range(12)),
        ("categorical", "zip", RNG.choice([94110, 10001, 60601], N)),
        ("categorical", "MSSubClass", RNG.choice([20, 30, 60, 190], N)),
        ("categorical", "Clothing ID", RNG.integers(0, 20, N)),
        ("categorical", "user_id", [1.0, 7.0, 9.0, np.nan] * 15),
        ("numeric", "bedrooms", RNG.integers(1, 6, N)),
        ("numeric", "class", RNG.integers(1, 4, N)),  # no gaps: may be an order
        ("numeric", "code", RNG.normal(size=N)),
    ],
)
def test_whole_numbers_are_judged_by_names_and_gaps(kind, name, cells):
    assert _kind(list(cells), name) == kind


def test_missing_cells_are_not_looked_at():
    kind, _, n_distinct, details = infer(_objects([None, "1 kg", np.nan, "", *(f"{x} kg" for x in range(N))]), "w")
    assert (kind, n_distinct, details) == ("numeric_text", N, {"n_numbers": 1})


def test_lists_of_images_are_items(tmp_path):
    (tmp_path / "1.jpg").touch()
    lists = _objects([["1.jpg", "2.jpg"], ["3.jpg"], []] * 10)
    assert infer(lists, "photos", str(tmp_path))[::3] == ("image", {"items": True})


@pytest.mark.parametrize(
    ("shape", "dtype", "kind", "details"),
    [
        ((28, 28), "uint8", "image", {"channels": 1}),
        ((64, 48), "float64", "image", {"channels": 1}),
        ((64, 64, 4), "uint8", "image", {"channels": 4}),
        ((100, 12), "float64", "sequence", {}),
        ((24,), "float64", "sequence", {}),
        ((16000,), "float32", "audio", {}),
        ((8, 8, 8, 2), "float32", "drop", {}),
    ],
)
def test_arrays_are_judged_by_their_shape(shape, dtype, kind, details):
    assert infer_shape(shape, np.dtype(dtype))[::2] == (kind, details)
