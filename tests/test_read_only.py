"""Arrays that may not be written to, as joblib, Dask and Ray hand them to workers, and files that are mapped."""

import joblib
import numpy as np
import pandas as pd
import pytest
from _backbones import tiny_backbone
from _mortal import NUMBERS, Watchful
from _small import make_table, network_regressor, stack_regressor
from joblib import parallel_config
from sklearn.base import clone
from sklearn.linear_model import LinearRegression

import skstack.branches
import skstack.preprocessing
from skstack import MultimodalStackingRegressor, WeightedAverageRegressor
from skstack.branches import (
    AudioBranch,
    Branch,
    CategoricalBranch,
    DateBranch,
    EntityBranch,
    ImageBranch,
    ModelBranch,
    NumericBranch,
    PretrainedBranch,
    SequenceBranch,
    TextBranch,
)
from skstack.preprocessing import (
    ImageEmbedder,
    PredictionTransformer,
    TableReader,
    TextEmbedder,
    make_windows,
    tensor_column,
)

N_ROWS = 12


def _read_only(array, folder):
    array = array.copy()
    if array.dtype == object:
        for cell in array.flat:
            if isinstance(cell, np.ndarray):
                cell.flags.writeable = False
    array.flags.writeable = False
    return array


def _mapped(array, folder):
    """Return an array that lies in a file, as joblib's workers get it; objects cannot."""
    if array.dtype == object:
        return _read_only(array, folder)
    path = folder / f"{len(list(folder.iterdir()))}.joblib"
    joblib.dump(array, path)
    return joblib.load(path, mmap_mode="r")


HOW = pytest.mark.parametrize("how", [_read_only, _mapped])


def _draw(*shape):
    return np.random.default_rng(0).normal(size=(N_ROWS, *shape))


def _choices(*values, width=1):
    return np.random.default_rng(0).choice(np.array(values, dtype=object), (N_ROWS, width))


def _gaps(numbers):
    numbers[::5] = np.nan
    return numbers


def _recordings():
    cells = np.empty((N_ROWS, 1), dtype=object)
    cells[:, 0] = [np.random.default_rng(row).normal(size=(3 + row % 4, 2)) for row in range(N_ROWS)]
    return cells


def _tensors(*shape):
    return lambda made: pd.DataFrame({"cell": tensor_column(made(_draw(*shape)))})


def _pixels(made):
    return pd.DataFrame({"photo": tensor_column(made(np.uint8(128 + 40 * _draw(8, 8, 3))))})


def _dates(made):
    days = np.datetime64("2026-01-01", "ns") + np.arange(N_ROWS).astype("m8[D]")
    return pd.DataFrame({"day": made(days)}, copy=False)


def _reviews(made):
    return made(_choices("a red hat", "blue", "it fits", width=2))


# Each with a function that makes its columns of arrays which another function has treated.
BRANCHES = [
    (NumericBranch(), lambda made: made(_gaps(_draw(2)))),
    (NumericBranch(embedding="periodic"), lambda made: pd.DataFrame(made(_gaps(_draw(2))), copy=False)),
    (CategoricalBranch(), lambda made: made(_choices("A", "B", None))),
    (EntityBranch(2, "subtract"), lambda made: made(_choices("A", "B", "C", width=2))),
    (DateBranch(elapsed=True), _dates),
    (ImageBranch(size=(6, 6), filters=(2,)), _pixels),
    (ImageBranch(backbone=tiny_backbone(), preprocess="tf"), _pixels),
    (TextBranch(dim=3), _reviews),
    (SequenceBranch("gru", 3, max_length=4), lambda made: made(_recordings())),
    (SequenceBranch("dense", 3), lambda made: made(_gaps(_draw(3)))),
    (AudioBranch(0.1, rate=4000, n_mels=8), _tensors(400)),
    (ModelBranch(tiny_backbone), _tensors(8, 8, 3)),
]


def test_every_public_branch_is_here():
    public = {getattr(skstack.branches, name) for name in skstack.branches.__all__} - {Branch, PretrainedBranch}
    assert public == {type(branch) for branch, _ in BRANCHES}


@HOW
@pytest.mark.parametrize(("branch", "rows"), BRANCHES, ids=lambda value: type(value).__name__)
def test_a_branch_learns_and_encodes(branch, rows, how, tmp_path):
    plain, guarded = rows(lambda array: array), rows(lambda array: how(array, tmp_path))
    expected = clone(branch).fit(plain).encode(plain)
    np.testing.assert_array_equal(clone(branch).fit(guarded).encode(guarded), expected)


TRANSFORMERS = [
    (ImageEmbedder(tiny_backbone(), feature_layer="pool", preprocess="tf", n_components=2, random_state=0), _pixels),
    (TextEmbedder(lambda texts: np.array([[len(text), text.count("e")] for text in texts])), _reviews),
    (TableReader(numbers={0: 1}, categories=[1]), lambda made: made(_choices("87 bhp", "9 bhp", width=2))),
    (
        PredictionTransformer(LinearRegression().fit(_draw(2), np.arange(N_ROWS))),
        lambda made: made(_draw(2)),
    ),
]


def test_every_public_transformer_is_here():
    # TargetEncoder is scikit-learn's own as soon as it looks at rows.
    public = {name for name in skstack.preprocessing.__all__ if name[0].isupper()} - {"TargetEncoder"}
    assert public == {type(transformer).__name__ for transformer, _ in TRANSFORMERS}


@HOW
@pytest.mark.parametrize(("transformer", "rows"), TRANSFORMERS, ids=lambda value: type(value).__name__)
def test_a_transformer_learns_and_transforms(transformer, rows, how, tmp_path):
    plain, guarded = rows(lambda array: array), rows(lambda array: how(array, tmp_path))
    expected = np.asarray(clone(transformer).fit_transform(plain))
    np.testing.assert_array_equal(np.asarray(clone(transformer).fit(guarded).transform(guarded)), expected)


@HOW
def test_windows_are_cut(how, tmp_path):
    series = np.arange(20.0)
    past, future, _ = make_windows(how(series, tmp_path), 3, 2)
    expected = make_windows(series, 3, 2)
    np.testing.assert_array_equal(past, expected.past)
    np.testing.assert_array_equal(future, expected.future)


@HOW
@pytest.mark.parametrize("make", [network_regressor, stack_regressor])
def test_networks_and_stacks_learn_and_predict(make, how, tmp_path):
    X, y = make_table()
    weight = np.linspace(0.5, 1.5, len(y))
    # A frame of one array, and a column of objects.
    guarded = pd.DataFrame(how(X[NUMBERS].to_numpy(), tmp_path), X.index, NUMBERS, copy=False)
    guarded["city"] = X["city"]
    fitted = make().fit(guarded, how(y, tmp_path), sample_weight=how(weight, tmp_path))
    expected = make().fit(X, y, sample_weight=weight).predict(X)
    np.testing.assert_allclose(fitted.predict(guarded), expected, rtol=1e-6)


@HOW
def test_a_weighted_average_learns_and_predicts(how, tmp_path):
    X, y = how(_draw(3), tmp_path), how(np.arange(float(N_ROWS)), tmp_path)
    average = WeightedAverageRegressor()
    expected = clone(average).fit(_draw(3), np.arange(float(N_ROWS))).predict(_draw(3))
    np.testing.assert_array_equal(average.fit(X, y).predict(X), expected)


def test_joblib_maps_the_arrays_of_a_stack_into_its_workers():
    X, y = _draw(2), np.arange(float(N_ROWS))
    stack = MultimodalStackingRegressor([("watchful", Watchful())], cv=3)
    alone = clone(stack).fit(X, y)
    with parallel_config("loky", n_jobs=2, max_nbytes=1):
        stack.fit(X, y)
    assert stack.named_estimators_["watchful"].writeable_ == [False, False]
    assert alone.named_estimators_["watchful"].writeable_ == [True, True]
    np.testing.assert_array_equal(stack.predict(X), alone.predict(X))
