"""Branches for the columns of a table."""

import numpy as np
import pandas as pd
import PIL.Image
import pytest
from _data import plain_table

from skstack.preprocessing import tensor_column
from skstack.suggestion._branches import suggest_branches
from skstack.suggestion._columns import describe_columns
from skstack.suggestion._kinds import Column


def _branches(X, kinds=None, **params):
    return {
        name: (repr(branch), columns)
        for name, branch, columns in suggest_branches(describe_columns(X, kinds), **params)
    }


def test_each_kind_has_a_branch():
    assert _branches(plain_table()[0]) == {
        "numbers": ("NumericBranch()", ["area"]),
        "numbers_in_text": ("NumericBranch(extract=2)", ["power", "experience", "cost"]),
        "categories": ("CategoricalBranch()", ["heated", "color", "zip"]),
        "entities": ("EntityBranch()", ["team_1", "team_2"]),
        "dates": ("DateBranch(date_format='%d/%m/%Y', on_error='missing')", ["sold"]),
        "text_review": ("TextBranch()", ["review"]),
        "text_tags": ("TextBranch()", ["tags"]),
    }


@pytest.mark.parametrize("container", ["frame", "objects"])
def test_branches_take_the_table(container):
    X = plain_table()[0]
    X = X if container == "frame" else X.to_numpy(dtype=object)
    for name, branch, columns in suggest_branches(describe_columns(X)):
        part = X[columns] if container == "frame" else X[:, columns]
        assert len(branch.fit(part).encode(part)) == 60, name


def test_columns_of_many_categories_have_a_branch_of_their_own():
    many = pd.DataFrame({"few": ["a", "b", "c"] * 50, "many": [f"x{x}" for x in range(50)] * 3})
    branches = _branches(many)
    assert branches["categories"][1] == ["few"]
    assert branches["many_categories"] == ("CategoricalBranch(min_frequency=2)", ["many"])
    places = [f"{a} {b}" for a in "ABCDEFGH" for b in "ABCDEFG"] * 3
    assert {"many_categories", "text_place"} == set(_branches(pd.DataFrame({"place": places})))


def test_codes_have_two_branches():
    X = pd.DataFrame({"zip": [f"{92270 + x % 60}" for x in range(300)], "place": [f"x{x % 50}" for x in range(300)]})
    assert _branches(X, {"zip": "numeric"})["numbers"][1] == ["zip"]
    X["zip"] = X["zip"].astype("category")
    branches = _branches(X)
    assert branches["many_categories"][1] == ["zip", "place"]
    assert branches["codes"] == ("NumericBranch(extract=1)", ["zip"])
    assert "codes" not in _branches(X, {"zip": "categorical"})


def test_dates_that_are_written_in_two_ways_have_two_branches():
    X = pd.DataFrame({"a": ["2020-01-31", "2020-02-01"] * 9, "b": ["31.1.2020", "1.2.2020"] * 9})
    X = X.assign(c=pd.to_datetime(X["a"]), d=X["a"] + ["T10:00+01:00", "T10:00+02:00"] * 9)
    assert _branches(X) == {
        "dates_1": ("DateBranch(on_error='missing')", ["a"]),
        "dates_2": ("DateBranch(date_format='%d.%m.%Y', on_error='missing')", ["b"]),
        "dates_3": ("DateBranch()", ["c"]),
        "dates_4": ("DateBranch(on_error='missing', tz='UTC')", ["d"]),
    }


def test_words_around_numbers_are_read_too():
    X = pd.DataFrame({"age": [f"{x} {('weeks', 'years')[x % 2]}" for x in range(40)]})
    assert _branches(X) == {
        "numbers_in_text": ("NumericBranch(extract=1)", ["age"]),
        "text_age": ("TextBranch()", ["age"]),
    }


def test_truth_values_are_numbers_if_they_have_the_type_of_some():
    X = pd.DataFrame({"a": [True, False], "b": ["yes", "no"], "c": [0, 1]})
    assert {name: columns for name, (_, columns) in _branches(X).items()} == {
        "numbers": ["a", "c"],
        "categories": ["b"],
    }


def test_images_recordings_and_sequences_have_a_branch_for_each_column():
    X = pd.DataFrame(
        {
            "grey": tensor_column(np.zeros((4, 9, 9), "uint8")),
            "color": pd.Series([np.zeros((8, 8, 3), "uint8")] * 4),
            "drawn": pd.Series([PIL.Image.new("L", (4, 4))] * 4),
            "signal": pd.Series([[1.0, 2.0], [3.0], [4.0, 5.0, 6.0], [7.0]]),
            "voice": pd.Series([[np.zeros(5000)]] * 4),
        }
    )
    assert _branches(X, image_root="here") == {
        "image_grey": ("ImageBranch(channels=1, root='here')", ["grey"]),
        "image_color": ("ImageBranch(root='here')", ["color"]),
        "image_drawn": ("ImageBranch(on_error='missing', root='here')", ["drawn"]),
        "sequence_signal": ("SequenceBranch()", ["signal"]),
        "audio_voice": ("AudioBranch(item_pooling='avg', on_error='missing', root='here')", ["voice"]),
    }
    assert "backbone='EfficientNetB0'" in _branches(X, backbone="EfficientNetB0")["image_color"][0]


def test_an_array_of_arrays_is_one_column():
    assert _branches(np.zeros((5, 28, 28), "uint8")) == {"image": ("ImageBranch(channels=1)", None)}
    assert _branches(np.zeros((5, 50, 2))) == {"sequence": ("SequenceBranch()", None)}


def test_many_columns_of_texts_share_a_vocabulary():
    columns = [Column(name, place, name, "text", "") for place, name in enumerate("abcdef")]
    columns += [Column("g", 6, "g", "text", "", details={"chars": True})]
    assert [(name, repr(branch)) for name, branch, _ in suggest_branches(columns)] == [
        ("texts", "TextBranch(join=False)"),
        ("text_g", "TextBranch(encoder='cnn', tokens='char')"),
    ]
    assert len(suggest_branches(columns[1:])) == 6


def test_names_of_branches_are_usable_as_prefixes():
    columns = [Column(name, place, name, "text", "") for place, name in enumerate(["a__b/c", "a_b_c", "日本", "  "])]
    names = [name for name, _, _ in suggest_branches(columns)]
    assert names == ["text_a_b_c", "text_a_b_c_1", "text_日本", "text_3"]
