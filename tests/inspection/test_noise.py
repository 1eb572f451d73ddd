"""Noise curves of every kind of cells."""

import numpy as np
import pandas as pd
import pytest
from _insides import patch_classifier, patch_images, table_of
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack.branches import CategoricalBranch, NumericBranch, SequenceBranch, TextBranch
from skstack.inspection import noise_curve
from skstack.inspection._cells import BranchCells
from skstack.inspection._noise import _drop, _gaussian, _replace

N_ROWS = 200


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"area": rng.normal(100, 20, N_ROWS), "rooms": rng.integers(1, 6, N_ROWS)})
    X["city"], X["note"] = rng.choice(list("ABC"), N_ROWS), "near the old park"
    X["series"] = [rng.normal(size=(3 + row % 2, 2)) for row in range(N_ROWS)]
    return X


PARTS = {
    "numbers": (NumericBranch((2,), embedding=None), ["area", "rooms"]),
    "city": (CategoricalBranch(dim=2), ["city"]),
    "note": (TextBranch(dim=2), ["note"]),
    "series": (SequenceBranch("cnn", (2,)), ["series"]),
}


@pytest.fixture(scope="module")
def network(table):
    parts = [(name, *part) for name, part in PARTS.items()]
    return MultimodalNetworkRegressor(parts, head=(), random_state=0).initialize(table, table["area"])


@pytest.fixture(scope="module")
def stack(table):
    parts = [("numbers", *PARTS["numbers"]), ("ridge", Ridge(), ["area", "rooms"])]
    template = MultimodalNetworkRegressor(epochs=1, early_stopping=False)
    return MultimodalStackingRegressor(parts, network=template, cv=2, random_state=0).fit(table, table["area"])


def test_the_score_of_a_stack_falls_with_the_noise_on_what_all_its_members_read(table, stack):
    result = noise_curve(stack, table, table["area"], branch="numbers", n_repeats=3, random_state=0)
    assert result.kind == "gaussian"
    assert result.levels.tolist() == [0, 0.1, 0.25, 0.5, 1, 2]
    assert result.scores.shape == (6, 3)
    np.testing.assert_allclose(result.scores[0], stack.score(table, table["area"]))
    assert (np.diff(result.scores_mean) < 0).all()
    assert result.scores_mean[-1] < 0  # a ridge that reads noise of 2 deviations is worse than the mean
    again = noise_curve(stack, table, table["area"], branch="numbers", n_repeats=3, random_state=0)
    np.testing.assert_array_equal(again.scores, result.scores)


def test_noise_is_in_deviations_of_each_column(table, network):
    noisy = BranchCells(network, table, "numbers")
    noisy = noisy.with_cells(_gaussian(noisy)(0.5, np.random.default_rng(0)))
    for name in ("area", "rooms"):
        ratio = (noisy[name] - table[name]).std() / table[name].std()
        assert 0.4 < ratio < 0.6
    pd.testing.assert_frame_equal(noisy.drop(columns=["area", "rooms"]), table.drop(columns=["area", "rooms"]))


def test_noise_on_steps_leaves_their_number(table, network):
    cells = BranchCells(network, table, "series")
    noisy = cells.with_cells(_gaussian(cells)(1.0, np.random.default_rng(0)))
    assert [len(cell) for cell in noisy["series"]] == [len(cell) for cell in table["series"]]
    moved = np.concatenate([a - b for a, b in zip(noisy["series"], table["series"], strict=True)])
    assert 0.9 < moved.std() < 1.1
    assert network.predict(noisy).shape == (N_ROWS,)


def test_a_part_of_the_categories_comes_from_other_rows(table, network):
    cells = BranchCells(network, table, "city")
    replaced = cells.with_cells(_replace(cells)(0.6, np.random.default_rng(0)))["city"]
    # Of 60 %, a third gets the same category as before.
    assert 0.3 < (replaced != table["city"]).mean() < 0.5
    assert set(replaced) <= set("ABC")
    assert replaced.index.equals(table.index)


def test_a_part_of_the_words_is_dropped_and_others_keep_their_order(table, network):
    cells = BranchCells(network, table, "note")
    dropped = cells.with_cells(_drop(cells)(0.25, np.random.default_rng(0)))["note"]
    n_words = dropped.str.split().str.len()
    assert 2.7 < n_words.mean() < 3.3
    order = ["near", "the", "old", "park"]
    assert all([word for word in order if word in text.split()] == text.split() for text in dropped)
    assert cells.with_cells(_drop(cells)(1.0, np.random.default_rng(0)))["note"].eq("").all()


def test_noise_on_pixels_turns_predictions_and_none_leaves_them():
    images = np.concatenate([patch_images(), np.zeros((4, 8, 8, 1), dtype="uint8")])
    network, X = patch_classifier(images), table_of(images)
    y = network.predict(X)
    assert y.tolist() == ["patch"] * 4 + ["none"] * 4
    result = noise_curve(network, X, y, branch="photo", levels=[0.0, 0.4], n_repeats=2, random_state=0)
    assert result.kind == "pixels"
    assert result.scores[0].tolist() == [1, 1]
    assert result.scores_mean[1] < 1


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"branch": "numbers", "kind": "gausian"}, "Did you mean 'gaussian'"),
        ({"branch": "numbers", "levels": [-1]}, "'levels' of 'gaussian' should be numbers from 0"),
        ({"branch": "city", "levels": [1.5]}, "'levels' of 'replace' should be numbers from 0 to 1"),
        ({"branch": "city", "kind": "gaussian"}, "noise is for cells of numbers, which branch 'city' does not have"),
        ({"branch": "city", "kind": "pixels"}, "only images"),
        ({"branch": "numbers", "n_repeats": 0}, "n_repeats == 0"),
    ],
)
def test_what_is_of_no_use_is_refused(table, network, params, message):
    with pytest.raises(ValueError, match=message):
        noise_curve(network, table, table["area"], **params)


def test_a_pipeline_reads_noise_on_what_its_last_step_gets(table, stack):
    pipeline = make_pipeline(FunctionTransformer(lambda X: X.assign(area=X["area"] + 0.0)), stack)
    how = {"branch": "numbers", "levels": [0, 1], "n_repeats": 2, "random_state": 0, "scoring": "r2"}
    result = noise_curve(pipeline, table, table["area"], **how)
    np.testing.assert_array_equal(result.scores, noise_curve(stack, table, table["area"], **how).scores)


def test_missing_cells_stay_missing_so_that_no_noise_is_the_score():
    images = np.concatenate([patch_images(), np.zeros((4, 8, 8, 1), dtype="uint8")])
    X = table_of(images)
    network = patch_classifier(images)
    X.loc[::2, "photo"] = None
    network.model_.get_layer("photo_missing_embedding").weights[0].assign([1.0, 0.0])  # a missing one is a patch
    y = ["patch"] * 8
    result = noise_curve(network, X, y, branch="photo", levels=[0.0], n_repeats=1, random_state=0)
    assert result.scores.item() == network.score(X, y) == 0.75


def test_missing_numbers_and_sequences_stay_missing(table, network):
    X = table.head(4).astype({"rooms": "Int64"})
    X.loc[0, "rooms"], X.at[0, "series"] = pd.NA, None
    for name in ("numbers", "series"):
        cells = BranchCells(network, X, name)
        noisy = cells.with_cells(_gaussian(cells)(1.0, np.random.default_rng(0)))
        column = PARTS[name][1][-1]
        assert noisy[column].isna().tolist() == [True, False, False, False]


def test_rows_that_do_not_fit_are_refused(table, stack):
    with pytest.raises(ValueError, match="rooms"):
        noise_curve(stack, table.drop(columns="rooms"), table["area"], branch="numbers")
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        noise_curve(stack, table, table["area"].head(3), branch="numbers")
