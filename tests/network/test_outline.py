"""What a fitted network is made of, as data."""

import numpy as np
import pytest
from _insides import image_branch, patch_images, table_of
from _inspected import fitted_network, table
from _small import branches

from skstack import MultimodalNetworkRegressor, MultitaskNetwork
from skstack.branches import NumericBranch
from skstack.network._outline import outline


@pytest.mark.parametrize("params", [{}, {"fusion": "attention", "modality_dropout": 0.1}, {"n_members": 2}])
def test_all_trained_weights_of_a_network_are_in_a_block(params):
    network = fitted_network(**params)
    blocks, model = outline(network), network.members_[0].model_
    assert [block.role for block in blocks] == ["branch", "branch", "fusion", "head", "output"]
    assert sum(block.n_trainable for block in blocks) == sum(int(np.prod(v.shape)) for v in model.trainable_weights)
    assert sum(block.n_weights for block in blocks) == sum(int(np.prod(v.shape)) for v in model.weights)
    assert [block.given for block in blocks[2:]] == [["numbers", "place"], ["fusion"], ["head_1"]]
    assert blocks[-1].name == "output"
    assert (blocks[1].columns, blocks[1].input_shape, blocks[1].shape) == (["city"], (1,), (2,))


def test_members_that_share_weights_have_the_same_blocks():
    blocks = outline(fitted_network(n_members=2, share_weights=True))
    assert [block.role for block in blocks] == ["branch", "branch", "fusion", "head", "head", "output"]
    assert blocks[-1].name == "output_mean"


def test_each_task_has_its_output():
    X, y = table()
    targets = X[["rooms"]].assign(price=y)
    network = MultitaskNetwork(branches(), head=(4,), epochs=1, early_stopping=False, random_state=0).fit(X, targets)
    outputs = [block for block in outline(network) if block.role == "output"]
    assert {block.name for block in outputs} == {"rooms", "price"}
    assert [block.given for block in outputs] == [["head_1"], ["head_1"]]


def test_a_network_of_one_branch_has_no_fusion():
    network = fitted_network().of_one_branch(("only", NumericBranch((4,)), ["area"])).set_params(epochs=1)
    blocks = outline(network.fit(*table()))
    assert [block.role for block in blocks] == ["branch", "head", "output"]


@pytest.mark.parametrize("item_pooling", ["avg", "max", "attention"])
def test_a_branch_of_several_items_in_a_cell_returns_their_pooled_features(item_pooling):
    X = table_of(patch_images())
    X["photo"] = [[photo, photo] for photo in X["photo"]]
    branch = image_branch(item_pooling=item_pooling)
    network = MultimodalNetworkRegressor([("photo", branch, ["photo"])], head=(), random_state=0)
    block = outline(network.initialize(X, X["area"]))[0]
    assert (block.input_shape, block.shape) == ((2, 8, 8, 1), (2,))
