"""Leaks that are planted are found."""

import numpy as np
import pandas as pd
from _checked import clean_table, fitted_stack, names
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import KFold

from skstack.inspection import check_stack


def test_planted_copies_of_rows_are_found():
    X, y = clean_table()
    X, y = pd.concat([X, X.iloc[:9]], ignore_index=True), np.concatenate([y, y[:9]])
    (finding,) = check_stack(fitted_stack(X, y), X, y)
    assert finding.check == "duplicates"
    assert finding.severity == "issue"
    assert "18 rows" in finding.message
    assert "0 and 120" in finding.message
    groups = [*range(120), *range(9)]
    splits = [
        (np.flatnonzero(np.array(groups) % 3 != fold), np.flatnonzero(np.array(groups) % 3 == fold))
        for fold in range(3)
    ]
    assert check_stack(fitted_stack(X, y, cv=splits), X, y) == []


def test_rows_of_few_values_are_the_same_by_chance():
    generator = np.random.default_rng(0)
    X = pd.DataFrame({"rooms": generator.integers(1, 5, 200), "floor": generator.integers(0, 4, 200)})
    y = X["rooms"] + generator.integers(0, 3, 200)
    stack = fitted_stack(X, y, [("one", Ridge(), ["rooms"]), ("other", Ridge(), ["floor"])])
    assert check_stack(stack, X, y, checks=["duplicates"]) == []


def test_an_image_on_both_sides_of_a_split_is_found():
    generator = np.random.default_rng(0)
    photos = [np.kron(generator.integers(0, 256, (6, 6, 3)), np.ones((4, 4, 1))).astype("uint8") for _ in range(30)]
    X = pd.DataFrame({"area": generator.normal(size=30), "photo": photos})
    X.at[29, "photo"] = photos[0]
    y = X["area"].to_numpy()
    stack = fitted_stack(X, y, [("one", Ridge(), ["area"]), ("other", LinearRegression(), ["area"])])
    (finding,) = check_stack(stack, X, y, checks=["duplicates"])
    assert "have images that look the same" in finding.message
    assert "0 and 29" in finding.message


def test_images_that_all_look_alike_are_no_duplicates():
    X = pd.DataFrame({"area": np.random.default_rng(0).normal(size=30), "photo": [np.zeros((24, 24, 3), "uint8")] * 30})
    stack = fitted_stack(X, X["area"].to_numpy(), [("one", Ridge(), ["area"]), ("other", LinearRegression(), ["area"])])
    assert check_stack(stack, X, X["area"].to_numpy(), checks=["duplicates"]) == []


def test_torn_groups_are_found_in_the_splits_of_the_stack_or_in_others():
    X, y = clean_table()
    stack, groups = fitted_stack(X, y), np.repeat(np.arange(60), 2)
    shuffled = KFold(3, shuffle=True, random_state=0)
    (finding,) = check_stack(stack, X, y, groups=groups, cv=shuffled)
    assert finding.check == "leaking_groups"
    assert "in 3 of 3 folds" in finding.message


def test_a_column_that_is_the_target_in_another_unit_is_found():
    X, y = clean_table()
    X["euros"] = 3 * y + 1
    stack = fitted_stack(X, y, [("one", Ridge(), ["area", "euros"]), ("other", Ridge(), ["age"])])
    assert "giveaways" in names(check_stack(stack, X, y))


def test_images_that_nobody_reads_need_not_be_there():
    X, y = clean_table()
    X["photo"] = [f"{row}.jpg" for row in range(len(X))]
    X.loc[119] = X.loc[0]
    y = np.append(y[:119], y[0])
    (finding,) = check_stack(fitted_stack(X, y), X, y, checks=["duplicates"])
    assert "have the same cells (but for images) and target" in finding.message
