"""Loading the folder layout of the Houses data."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skstack.datasets import find_data, load_houses

ROOMS = ["bathroom", "bedroom", "frontal", "kitchen"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "HousesInfo.txt").write_text(
        "4 4 4053 85255 869500\n4 2.5 3343 36372 865200\n3 1 1200 85255 300000\n", encoding="utf-8"
    )
    (tmp_path / "images").mkdir()
    for house in (1, 2, 3):
        for room in ROOMS:
            Image.new("RGB", (8, 8)).save(tmp_path / "images" / f"{house}_{room}.jpg")
    return tmp_path


def test_loads_the_table(folder):
    houses = load_houses(folder)
    assert houses.feature_names == ["bedrooms", "bathrooms", "area", "zipcode", *ROOMS]
    assert list(houses.data.columns) == houses.feature_names
    assert houses.data[["bedrooms", "bathrooms", "area"]].dtypes.eq(float).all()
    assert houses.data["bathrooms"].tolist() == [4.0, 2.5, 1.0]
    assert isinstance(houses.data["zipcode"].dtype, pd.CategoricalDtype)
    assert houses.data["zipcode"].tolist() == ["85255", "36372", "85255"]
    assert houses.data["kitchen"].tolist() == ["1_kitchen.jpg", "2_kitchen.jpg", "3_kitchen.jpg"]
    assert houses.target.tolist() == [869500, 865200, 300000]
    assert houses.target.name == "price"
    assert list(houses.frame.columns) == [*houses.feature_names, "price"]
    assert houses.image_root == str(folder / "images")
    assert "3 houses" in houses.DESCR


def test_rooms_choose_photos_and_their_order(folder):
    (folder / "images" / "2_bathroom.jpg").unlink()
    houses = load_houses(str(folder), rooms=("kitchen", "bedroom"))
    assert houses.feature_names[-2:] == ["kitchen", "bedroom"]
    assert load_houses(folder, rooms=()).feature_names == ["bedrooms", "bathrooms", "area", "zipcode"]


def test_groups(folder):
    assert load_houses(folder).groups.tolist() == [1, 2, 3]
    (folder / "groups.txt").write_text("1\n2\n1\n", encoding="utf-8")
    houses = load_houses(folder)
    assert isinstance(houses.groups, np.ndarray)
    assert houses.groups.tolist() == [1, 2, 1]


def test_descriptions_and_missing_values(folder):
    (folder / "HousesInfo.txt").write_text("nan 4 4053 nan 869500\n4 2.5 nan 36372 865200\n3 1 1200 85255 300000\n")
    (folder / "descriptions.txt").write_text("By the sea.\n\n\n", encoding="utf-8")
    (folder / "images" / "2_bathroom.jpg").unlink()
    houses = load_houses(folder, on_missing="null")
    assert houses.data["description"].isna().tolist() == [False, True, True]
    assert houses.data["zipcode"].isna().tolist() == [True, False, False]
    assert houses.data["bathroom"].isna().tolist() == [False, True, False]
    assert houses.data["bedrooms"].isna().tolist() == [True, False, False]
    assert houses.data["area"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("HousesInfo.txt", "4 4 4053 85255 869500\n4 4 85255 1\n", r"line 2 \(house 2\): expected 5 fields .*, got 4"),
        ("HousesInfo.txt", "4 4 4053 85255 869500\n\n1 1 1 1 1\n", r"line 2 \(house 2\): expected 5 fields .*, got 0"),
        ("HousesInfo.txt", "4 4 4053 85255 869500 7\n", r"line 1 \(house 1\): expected 5 fields .*, got 6"),
        ("HousesInfo.txt", "4 4 big 85255 869500\n", r"line 1 \(house 1\): area must be a number, got 'big'"),
        ("HousesInfo.txt", "4 4 90 85255 nan\n", r"line 1 \(house 1\): price must be a finite number, got 'nan'"),
        ("HousesInfo.txt", "", r"line 1 \(house 1\): expected 5 fields .*, got 0"),
        ("groups.txt", "1\n2\n", r"groups.txt has 2 lines, but HousesInfo.txt lists 3 houses"),
        ("groups.txt", "1\n2\nb\n", r"groups.txt, line 3 \(house 3\): expected an integer, got 'b'"),
        ("descriptions.txt", "a\nb\nc\nd\n", r"descriptions.txt has 4 lines, but HousesInfo.txt lists 3 houses"),
    ],
)
def test_malformed_files(folder, file, text, message):
    (folder / file).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_houses(folder)


def test_missing_files(folder):
    (folder / "images" / "2_kitchen.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"House 2 has no kitchen photo: expected .*2_kitchen\.jpg"):
        load_houses(folder)
    (folder / "HousesInfo.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no file HousesInfo\.txt"):
        load_houses(folder)
    with pytest.raises(FileNotFoundError, match=r"no folder of houses at .*elsewhere"):
        load_houses(folder / "elsewhere")


def test_a_folder_without_images(folder):
    (folder / "images").rename(folder / "photos")
    with pytest.raises(FileNotFoundError, match="House 1 has no bathroom photo"):
        load_houses(folder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rooms": "kitchen"}, "rooms is a sequence of names .* got the string 'kitchen'"),
        ({"on_missing": "ignore"}, "on_missing must be .* got 'ignore'"),
    ],
)
def test_bad_options(folder, options, message):
    with pytest.raises(ValueError, match=message):
        load_houses(folder, **options)


@pytest.mark.skipif(
    find_data("houses") is None, reason="the real photos are only where SKSTACK_DATA names their folder"
)
def test_real_houses():
    houses = load_houses(find_data("houses"))
    assert houses.data.shape == (535, 8)
    assert len(np.unique(houses.groups)) == 528
    assert houses.data["zipcode"].nunique() == 49
    assert not houses.data.isna().any(axis=None)
