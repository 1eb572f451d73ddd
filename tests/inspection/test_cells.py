"""Rows with other cells in the columns of a branch."""

import numpy as np
import pandas as pd
import polars
import pytest
from _insides import image_branch, patch_classifier, patch_images, table_of

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor
from skstack.branches import NumericBranch
from skstack.inspection._cells import BranchCells


def test_images_are_those_that_the_branch_sees_whatever_their_size():
    images = patch_images()
    larger = np.repeat(np.repeat(images, 2, axis=1), 2, axis=2)
    network, X = patch_classifier(), table_of(larger)
    seen, present = BranchCells(network, X, "photo").images()
    assert seen.shape == images.shape
    assert present.all()
    np.testing.assert_array_equal(seen, network.encode(X)["photo"])


def test_a_row_comes_several_times_each_with_another_cell():
    X, images = table_of(patch_images()), patch_images()
    rows = BranchCells(patch_classifier(), X, "photo").rows(2, [images[0], images[1]])
    assert rows["area"].tolist() == [2, 2]
    assert rows.index.tolist() == [2, 2]
    np.testing.assert_array_equal(np.stack(rows["photo"]), images[:2])
    np.testing.assert_array_equal(np.stack(X["photo"]), images)


def test_an_array_of_images_holds_the_cells_itself():
    images = patch_images()[..., 0]
    network = MultimodalNetworkClassifier([("photo", image_branch())], head=(), random_state=0)
    network.initialize(images, [0, 1] * 2)
    cells = BranchCells(network, images, "photo")
    seen, _ = cells.images()
    assert seen.shape == (4, 8, 8, 1)
    np.testing.assert_array_equal(cells.with_cells([[*seen]]), images)
    network.initialize(np.repeat(np.repeat(images, 2, axis=1), 2, axis=2), [0, 1] * 2)
    cells = BranchCells(network, np.repeat(np.repeat(images, 2, axis=1), 2, axis=2), "photo")
    with pytest.raises(ValueError, match="give X as a DataFrame"):
        cells.with_cells([[*cells.images()[0]]])


@pytest.mark.parametrize("container", ["array of integers", "polars"])
def test_numbers_of_other_containers_are_exchanged(container):
    table = np.arange(12).reshape(4, 3)
    X = table if container == "array of integers" else polars.DataFrame(table, schema=["a", "b", "c"])
    network = MultimodalNetworkRegressor([("n", NumericBranch((2,), embedding=None), [0, 2])], random_state=0)
    network.initialize(X, np.arange(4.0))
    changed = np.asarray(BranchCells(network, X, "n").with_cells([np.full(4, 0.5), np.full(4, 1.5)]))
    np.testing.assert_array_equal(changed, np.stack([np.full(4, 0.5), table[:, 1], np.full(4, 1.5)], axis=1))


def test_several_images_in_a_row_are_refused():
    images = patch_images()
    X = pd.DataFrame({"a": [*images], "b": [*images]})
    network = MultimodalNetworkClassifier([("photo", image_branch(shared=True))], head=(), random_state=0)
    network.initialize(X, [0, 1] * 2)
    with pytest.raises(ValueError, match="has several images in a row"):
        BranchCells(network, X, "photo").images()


def test_rows_without_an_image_keep_the_cell_that_they_had():
    X = table_of(patch_images())
    X.at[1, "photo"] = None
    cells = BranchCells(patch_classifier(), X, "photo")
    seen, present = cells.images()
    assert present.tolist() == [True, False, True, True]
    assert not seen[1].any()
    beside = cells.beside_missing(seen, present)
    assert beside[1] is None
    np.testing.assert_array_equal(beside[2], seen[2])


def test_columns_may_have_names_that_are_no_strings():
    X = pd.DataFrame(np.arange(12.0).reshape(4, 3))
    network = MultimodalNetworkRegressor([("n", NumericBranch((2,), embedding=None), [0, 2])], random_state=0)
    network.initialize(X, X[0])
    rows = BranchCells(network, X[[0, 1, 2]], "n").with_cells([np.full(4, 0.5), np.full(4, 1.5)])
    assert rows.columns.tolist() == [0, 1, 2]
    assert rows.to_numpy().tolist() == [[0.5, number, 1.5] for number in X[1]]
    assert X[0].tolist() == [0, 3, 6, 9]


def test_a_table_that_lacks_a_column_is_refused():
    X = table_of(patch_images())
    with pytest.raises(ValueError, match="area"):
        BranchCells(patch_classifier(), X.drop(columns="area"), "photo")
