"""What embedders have in common: means for missing cells, principal components, names of features."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError

from skstack.preprocessing._embedder import CONSTRAINTS, Embedder

N_ROWS = 14
FEATURES = np.random.default_rng(0).normal(size=(2, N_ROWS, 5)).astype("float32")
X = pd.DataFrame({name: [f"{name} {row}" for row in range(N_ROWS)] for name in ("front", "back")}, dtype=object)


class Lookup(Embedder):
    """Looks the features of a cell up, which names a column and a row; "unreadable" cells have none."""

    _parameter_constraints = CONSTRAINTS

    def __init__(self, n_components=None, add_indicator=False, random_state=0):
        self.n_components = n_components
        self.add_indicator = add_indicator
        self.random_state = random_state

    def _start(self):
        return dict(zip(("front", "back"), FEATURES, strict=True))

    def _embed(self, model, X):
        cells = [cell.split() for cell in X.iloc[:, 0]]
        features = [model[cell[0]][int(cell[1])] if len(cell) == 2 else np.zeros(5, "float32") for cell in cells]
        return np.array(features), np.array([len(cell) != 2 for cell in cells])


def _gaps(cell=None, **rows):
    table = X.copy()
    for name, missing in rows.items():
        table.loc[missing, name] = cell
    return table


def test_columns_become_features_side_by_side():
    features = Lookup().fit(X).transform(X[3:7])
    assert features.dtype == "float32"
    np.testing.assert_array_equal(features, np.hstack(FEATURES)[3:7])


@pytest.mark.parametrize("n_components", [None, 2])
def test_fit_transform_is_fit_and_transform(n_components):
    fitted = Lookup(n_components).fit(_gaps(front=[3]))
    np.testing.assert_array_equal(
        Lookup(n_components).fit_transform(_gaps(front=[3])), fitted.transform(_gaps(front=[3]))
    )


def test_components_are_those_of_each_column_in_training():
    fitted = Lookup(n_components=3).fit(X[:10])
    transformed = fitted.transform(X)
    for index, features in enumerate(FEATURES):
        expected = PCA(3, random_state=0).fit(features[:10]).transform(features)
        np.testing.assert_allclose(transformed[:, 3 * index : 3 * index + 3], expected, rtol=1e-3, atol=1e-5)
    assert transformed.dtype == "float32"


def test_components_may_be_a_part_of_the_variance():
    fitted = Lookup(n_components=0.7).fit(X)
    widths = [reducer.n_components_ for reducer in fitted.reducers_]
    assert all(1 <= width < 5 for width in widths)
    assert fitted.transform(X).shape == (N_ROWS, sum(widths)) == (N_ROWS, len(fitted.get_feature_names_out()))


@pytest.mark.parametrize("cell", [None, "", "unreadable"])
@pytest.mark.parametrize("n_components", [None, 2])
def test_the_mean_stands_for_a_missing_cell(n_components, cell):
    embedder = Lookup(n_components).fit(_gaps(cell, front=[1, 4]))
    plain = Lookup(n_components).fit(_gaps(cell, front=[1, 4]).drop(index=[1, 4]))
    features = embedder.transform(_gaps(cell, back=[3]))
    width = n_components or 5
    mean = np.zeros(2) if n_components else FEATURES[1].mean(axis=0)
    np.testing.assert_allclose(features[3, width:], mean, atol=1e-5)
    np.testing.assert_allclose(features[:, :width], plain.transform(X)[:, :width], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(embedder.means_[0], np.delete(FEATURES[0], [1, 4], axis=0).mean(axis=0), rtol=1e-4)


def test_indicators_are_for_columns_with_gaps_in_training():
    embedder = Lookup(add_indicator=True).fit(_gaps(back=[1]))
    features = embedder.transform(_gaps(front=[0], back=[2]))
    np.testing.assert_array_equal(features[:, 10:], np.eye(N_ROWS)[:, [2]])
    assert embedder.get_feature_names_out()[-2:].tolist() == ["back_4", "back_missing"]


@pytest.mark.parametrize("cell", [None, "unreadable"])
def test_a_column_of_nothing_but_gaps(cell):
    embedder = Lookup().fit(X)
    features = embedder.transform(_gaps(cell, front=list(range(N_ROWS))))
    np.testing.assert_allclose(features[:, :5], np.tile(embedder.means_[0], (N_ROWS, 1)))
    with pytest.raises(ValueError, match="every cell of column 'front' is missing or unreadable"):
        Lookup().fit(_gaps(cell, front=list(range(N_ROWS))))


def test_names_and_numbers_are_scikit_learns():
    embedder = Lookup(n_components=2).fit(X)
    assert embedder.n_features_in_ == 2
    assert embedder.feature_names_in_.tolist() == ["front", "back"]
    assert embedder.n_features_per_column_ == [5, 5]
    names = ["front_pca0", "front_pca1", "back_pca0", "back_pca1"]
    assert embedder.get_feature_names_out().tolist() == names
    assert embedder.get_feature_names_out(["front", "back"]).tolist() == names
    with pytest.raises(ValueError, match="input_features is not equal to feature_names_in_"):
        embedder.get_feature_names_out(["a", "b"])
    with pytest.raises(ValueError, match="feature names"):
        embedder.transform(X[["back", "front"]])
    with pytest.raises(NotFittedError):
        Lookup().transform(X)


def test_output_can_be_pandas():
    table = X.set_index(np.arange(N_ROWS) + 100)
    output = Lookup().set_output(transform="pandas").fit_transform(table)
    assert list(output.columns[[0, -1]]) == ["front_0", "back_4"]
    assert output.index.equals(table.index)


def test_it_can_be_cloned_and_its_parameters_are_checked():
    assert clone(Lookup(n_components=2)).get_params() == Lookup(n_components=2).get_params()
    for n_components in (0, 1.5, "all"):
        with pytest.raises(ValueError, match="'n_components' parameter"):
            Lookup(n_components).fit(X)
