"""Rows that belong together."""

import io

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image
from sklearn.model_selection import GroupKFold

from skstack.model_selection import duplicate_groups
from skstack.preprocessing import tensor_column


def scene(seed, size=(40, 60)):
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype="uint8")
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def jpeg(image, quality=60):
    content = io.BytesIO()
    image.save(content, "jpeg", quality=quality)
    return content.getvalue()


def objects(*cells):
    return pd.Series(list(cells), dtype=object)


def test_the_same_image_in_another_size_and_format_is_found(tmp_path):
    scene(0).save(tmp_path / "a.PNG")
    (tmp_path / "b.jpg").write_bytes(jpeg(scene(0, (90, 90))))
    scene(1).save(tmp_path / "c.png")
    X = pd.DataFrame({"photo": ["a.PNG", "c.png", "b.jpg", None]})
    assert duplicate_groups(X, root=tmp_path).tolist() == [0, 1, 0, 2]


KINDS = {
    "bytes": jpeg,
    "PIL": lambda image: image,
    "array": np.asarray,
    "floats": lambda image: np.asarray(image) / 255,
    "grey": lambda image: np.asarray(image.convert("L")),
    "list": lambda image: [image, scene(99)] if image == scene(0) else [image],
}


@pytest.mark.parametrize("kind", KINDS)
def test_images_are_found_in_every_kind_of_cell(kind):
    X = pd.DataFrame({"photo": objects(*(KINDS[kind](scene(seed)) for seed in (0, 1, 0, 2)))})
    assert duplicate_groups(X).tolist() == [0, 1, 0, 2]


def test_arrays_of_images():
    images = np.stack([np.asarray(scene(seed)) for seed in (3, 4, 3)])
    assert duplicate_groups(images).tolist() == [0, 1, 0]
    assert duplicate_groups(pd.DataFrame({"photo": tensor_column(images)})).tolist() == [0, 1, 0]


def test_an_image_is_shared_by_columns_and_lists():
    X = pd.DataFrame(
        {
            "front": objects(scene(0), scene(1), scene(2), scene(3)),
            "back": objects([scene(4)], [scene(5), scene(0)], None, [scene(6), scene(4)]),
        }
    )
    assert duplicate_groups(X).tolist() == [0, 0, 1, 0]
    assert duplicate_groups(X, ["front"]).tolist() == [0, 1, 2, 3]


def test_tolerance_is_how_much_may_differ():
    blurred = scene(0).resize((7, 7)).resize((40, 60))
    X = pd.DataFrame({"photo": objects(scene(0), blurred, scene(1))})
    assert duplicate_groups(X, tolerance=0).tolist() == [0, 1, 2]
    assert duplicate_groups(X, tolerance=16).tolist() == [0, 0, 1]


def test_images_that_show_nothing_have_nothing_in_common():
    blank = Image.new("RGB", (9, 9), "white")
    assert duplicate_groups(pd.DataFrame({"photo": objects(blank, blank, None, None)})).tolist() == [0, 1, 2, 3]


ROWS = pd.DataFrame(
    {
        "street": ["Elm", "Oak", "Elm", "Elm", None, None],
        "rooms": [3, 2, 3, 4, np.nan, np.nan],
        "since": pd.to_datetime(["2020", "2021", "2020", "2020", None, None]),
    }
)


@pytest.mark.parametrize(
    "container",
    [lambda X: X, pl.from_pandas, pa.Table.from_pandas, lambda X: X.to_numpy(), lambda X: X.astype(object)],
)
def test_rows_of_the_same_cells_are_found_in_every_container(container):
    assert duplicate_groups(container(ROWS)).tolist() == [0, 1, 0, 2, 3, 4]


def test_cells_that_are_arrays_and_lists_are_compared_by_content():
    signal = np.arange(6.0).reshape(3, 2)
    X = pd.DataFrame({"signal": objects(signal, signal + 1, signal.copy()), "tags": objects(["a"], ["a"], ["a"])})
    assert duplicate_groups(X).tolist() == [0, 1, 0]
    assert duplicate_groups(X, "tags").tolist() == [0, 0, 0]
    assert duplicate_groups(np.stack([signal, signal + 1, signal])).tolist() == [0, 1, 0]


def test_rows_are_linked_over_others():
    """The first and the third share an image, the third and the last all other cells."""
    X = pd.DataFrame({"photo": objects(scene(0), scene(1), scene(0), None), "text": list("abcc")})
    assert duplicate_groups(X).tolist() == [0, 1, 0, 0]


def test_groups_are_taken_by_splitters_and_change_nothing():
    X = ROWS.copy()
    groups = duplicate_groups(X)
    pd.testing.assert_frame_equal(X, ROWS)
    for train, test in GroupKFold(3).split(X, groups=groups):
        assert not set(groups[train]) & set(groups[test])


def test_an_image_that_cannot_be_read_is_named(tmp_path):
    X = pd.DataFrame({"photo": ["a.png", "b.png"]}, index=["x", "y"])
    scene(0).save(tmp_path / "a.png")
    with pytest.raises(FileNotFoundError, match=r"row 1 \(index 'y'\): there is no image file"):
        duplicate_groups(X, root=tmp_path)
    scene(0).save(tmp_path / "sub.png")
    (tmp_path / "inside").mkdir()
    with pytest.raises(ValueError, match="leads out of root"):
        duplicate_groups(pd.DataFrame({"photo": ["../a.png"]}), root=tmp_path / "inside")
    outside = duplicate_groups(
        pd.DataFrame({"photo": ["../a.png", "../sub.png"]}), root=tmp_path / "inside", allow_outside_root=True
    )
    assert outside.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"tolerance": -1}, "'tolerance' parameter"),
        ({"tolerance": 64}, "'tolerance' parameter"),
        ({"columns": ["stret"]}, "Did you mean 'street'"),
        ({"root": 3}, "'root' parameter"),
    ],
)
def test_parameters_are_checked(parameters, message):
    with pytest.raises(ValueError, match=message):
        duplicate_groups(ROWS, **parameters)
