"""Named parts and their parameters."""

import re

import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import Ridge

from skstack._parts import PartsMixin, check_instance, check_part_names, check_part_tuples, naming, split_part


class Whole(PartsMixin, BaseEstimator):
    """An estimator of named parts."""

    _parts_attribute = "parts"

    def __init__(self, parts, size=1):
        self.parts = parts
        self.size = size


@pytest.fixture
def whole():
    return Whole([("ridge", Ridge(alpha=2.0), ["a"]), ("other", Ridge()), ("gone", "drop", ["b"])])


@pytest.mark.parametrize(
    ("part", "expected"), [(("a", 1), ("a", 1, None)), (("a", 1, [2]), ("a", 1, [2])), (["a", 1, "b"], ("a", 1, "b"))]
)
def test_columns_may_be_left_out(part, expected):
    assert split_part(part) == expected


@pytest.mark.parametrize("parts", [None, [], (), "ridge", {"ridge": Ridge()}, Ridge()])
def test_parts_have_to_be_a_list_with_something_in_it(parts):
    with pytest.raises(ValueError, match=r"'parts' of Whole should be a non-empty list of \(name, part, columns\)"):
        check_part_tuples(parts, "Whole", "parts")


@pytest.mark.parametrize("part", [Ridge(), ("a",), ("a", 1, 2, 3), (1, Ridge()), "ab"])
def test_every_part_has_to_be_a_tuple_with_a_name(part):
    with pytest.raises(ValueError, match=f"Every item of 'parts' of Whole .* got {re.escape(repr(part))}"):
        check_part_tuples([("good", Ridge()), part], "Whole", "parts")


@pytest.mark.parametrize("columns", [Ridge(), Ridge])
def test_columns_in_front_of_a_part_are_named(columns):
    with pytest.raises(TypeError, match=r"part 'b' of Whole has its columns, \['x'\], in front: write \(name, part"):
        check_part_tuples([("a", Ridge()), ("b", ["x"], columns)], "Whole", "parts")


def test_classes_are_no_parts():
    with pytest.raises(TypeError, match=r"part 'b' of Whole should be an instance, got the class Ridge.*Ridge\(\)\?"):
        check_part_tuples([("a", Ridge()), ("b", Ridge)], "Whole", "parts")
    check_instance(Ridge(), "it")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b", "a"], r"should be unique, got several parts named \['a'\]"),
        (["a", "size"], r"conflict with its own parameters: \['size'\]"),
        (["a", ""], r"should not be empty nor contain '__' or '/', got \[''\]"),
        (["a__b", "a/b", "a_b"], r"should not be empty nor contain '__' or '/', got \['a__b', 'a/b'\]"),
    ],
)
def test_names_that_cannot_be_prefixes_are_refused(names, message):
    with pytest.raises(ValueError, match=f"Names in 'parts' of Whole {message}"):
        check_part_names(names, ["size"], "Whole", "parts")


def test_good_parts_pass():
    check_part_tuples([("a", 1), ["b", 2, None]], "Whole", "parts")
    check_part_names(["a", "b_c", "d e"], ["size"], "Whole", "parts")


# --- errors that name the part ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (ValueError("bad"), ValueError),
        (TypeError("bad"), TypeError),
        (FileNotFoundError("bad"), FileNotFoundError),
        (PermissionError("bad"), ValueError),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), ValueError),
    ],
)
def test_errors_are_given_the_name_of_the_part(raised, kind):
    with pytest.raises(kind, match=r"^branch 'photo': .*bad") as info, naming("branch 'photo'"):
        raise raised
    assert info.value.__cause__ is raised


def test_errors_are_given_a_name_once():
    with pytest.raises(ValueError, match=r"^branch 'a': bad$"), naming("branch 'a'"), naming("branch 'a'"):
        raise ValueError("bad")


def test_errors_of_the_program_pass_unchanged():
    with pytest.raises(KeyError, match=r"^'bad'$"), naming("branch 'a'"):
        raise KeyError("bad")


# --- parameters -------------------------------------------------------------------------------------------------------


def test_parameters_reach_into_the_parts(whole):
    params = whole.get_params()
    assert params["ridge"] is whole.parts[0][1]
    assert params["ridge__alpha"] == 2.0
    assert params["gone"] == "drop"
    assert params["size"] == 1
    assert set(whole.get_params(deep=False)) == {"parts", "size"}


def test_parameters_of_parts_are_set(whole):
    assert whole.set_params(ridge__alpha=5.0, other__alpha=6.0, size=3) is whole
    assert [whole.parts[0][1].alpha, whole.parts[1][1].alpha, whole.size] == [5.0, 6.0, 3]


def test_a_part_is_replaced_with_its_columns_kept(whole):
    given, new = whole.parts, Ridge(alpha=9.0)
    whole.set_params(ridge=new, ridge__alpha=8.0, other="drop")
    assert whole.parts[0] == ("ridge", new, ["a"])
    assert new.alpha == 8.0
    assert whole.parts[1] == ("other", "drop")
    assert given[0][1].alpha == 2.0  # the caller's list is as it was


def test_all_parts_are_replaced_before_parameters_are_set(whole):
    whole.set_params(parts=[("new", Ridge(), None)], new__alpha=4.0)
    assert whole.get_params()["new__alpha"] == 4.0
    assert "ridge" not in whole.get_params()


@pytest.mark.parametrize("name", ["nothing", "nothing__alpha", "ridge__nothing"])
def test_unknown_parameters_are_refused(whole, name):
    with pytest.raises(ValueError, match="Invalid parameter"):
        whole.set_params(**{name: 1})


def test_clone_clones_the_parts(whole):
    cloned = clone(whole)
    assert cloned.get_params()["ridge__alpha"] == 2.0
    assert cloned.parts[0][1] is not whole.parts[0][1]
    cloned.set_params(ridge__alpha=1.0)
    assert whole.parts[0][1].alpha == 2.0


@pytest.mark.parametrize("parts", [None, [], "ridge", [Ridge()], [("a",)], [("a", Ridge)]])
def test_parts_that_are_none_are_shown_and_cloned_until_fit_refuses_them(parts):
    whole = Whole(parts)
    assert whole.get_params()["parts"] is parts
    assert "Whole(" in repr(whole)
    clone(whole)
