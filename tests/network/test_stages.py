"""What stages of training are asked for, and that they can be trained; no training."""

import numpy as np
import pytest
from _small import branches, make_table, network_classifier, network_regressor
from sklearn.base import clone

from skstack import Stage
from skstack.branches import NumericBranch
from skstack.network._stages import stages_of

X, Y = make_table()
NAMES = ["numbers", "place"]


def _asked(network):
    return [(stage.training, stage.branches, stage.epochs) for stage in stages_of(network)]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [("joint", None, None)]),
        ({"stages": "individual+joint"}, [("individual", None, None), ("joint", None, None)]),
        ({"freeze_epochs": 3}, [("joint", [], 3), ("joint", None, None)]),
        (
            {"stages": "individual+joint", "freeze_epochs": 3},
            [("individual", None, None), ("joint", [], 3), ("joint", None, None)],
        ),
        ({"stages": [Stage("individual", branches=["place"]), Stage(epochs=2)]}, None),
    ],
)
def test_the_short_spelling_stands_for_a_list(params, expected):
    network = network_regressor(**params)
    assert _asked(network) == (expected or [("individual", ["place"], None), ("joint", None, 2)])


def test_the_last_stage_trains_what_the_network_says():
    last = stages_of(network_regressor(trainable={"place": False}, branch_learning_rate=0.1))[-1]
    assert [last.trains(name) for name in NAMES] == [True, False]
    assert last.branch_learning_rate == 0.1


def test_branches_that_a_stage_leaves_out_are_not_trained():
    stage = Stage(branches=["place"], trainable={"place": 2, "numbers": True})
    assert [stage.trains(name) for name in NAMES] == [False, 2]
    assert [stage.trains_at_all(name) for name in NAMES] == [False, True]
    assert Stage(trainable=np.False_).trains("place") is False


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"stages": "joint+individual"}, "'stages' parameter"),
        ({"stages": []}, "should be 'individual\\+joint' or a list of Stage"),
        ({"stages": ["joint"]}, "should be 'individual\\+joint' or a list of Stage"),
        ({"stages": [Stage]}, "did you forget the parentheses"),
        ({"stages": [Stage("both")]}, "stage 1: .*'training' parameter of Stage"),
        ({"stages": [Stage(), Stage(epochs=0)]}, "stage 2: .*'epochs' parameter of Stage"),
        ({"stages": [Stage(learning_rate=0.0)]}, "stage 1: .*'learning_rate' parameter of Stage"),
        ({"stages": [Stage(early_stopping="yes")]}, "stage 1: .*'early_stopping' parameter of Stage"),
        ({"stages": [Stage(early_stopping=True)]}, "needs validation rows: set it on the network"),
        ({"stages": [Stage(branches="place")]}, "stage 1: .*'branches' parameter of Stage"),
        ({"stages": [Stage(branches=["plac"])]}, "names a branch 'plac', which there is not. Did you mean 'place'"),
        ({"stages": [Stage("individual", branches=[]), Stage()]}, "an individual stage should train a branch"),
        ({"stages": [Stage("individual", trainable=False), Stage()]}, "an individual stage should train a branch"),
        ({"stages": [Stage("individual")]}, "the last of the 'stages' should be a joint one"),
        ({"stages": [Stage()], "trainable": False}, "are for networks without a list of 'stages'"),
        ({"stages": [Stage()], "freeze_epochs": 1}, "are for networks without a list of 'stages'"),
        ({"trainable": 0}, "'trainable' parameter should be True, False, how many"),
        ({"trainable": {"place": 0}}, "branch 'place': The 'trainable' parameter"),
        ({"trainable": {"number": True}}, "names a branch 'number', which there is not. Did you mean 'numbers'"),
        ({"trainable": None}, "'trainable' parameter"),
        ({"branch_learning_rate": 0.0}, "'branch_learning_rate' parameter"),
        ({"branch_learning_rate": {"place": -1.0}}, "branch 'place': .*'branch_learning_rate' parameter"),
        ({"branch_learning_rate": {"city": 1.0}}, "names a branch 'city', which there is not"),
        ({"freeze_epochs": -1}, "'freeze_epochs' parameter"),
        ({"keep_individual": "yes"}, "'keep_individual' parameter"),
        ({"trainable": 1}, "branch 'numbers': trainable=1 chooses no layer with weights"),
        ({"trainable": {"place": "dense_*"}}, "branch 'place': trainable='dense_\\*' chooses no layer with weights"),
    ],
)
@pytest.mark.parametrize("make", [network_regressor, network_classifier])
def test_what_cannot_be_trained_is_refused_before_any_training(make, params, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make(**params).check_data(X)


def test_one_value_is_for_all_branches_that_have_weights():
    parts = [("numbers", NumericBranch(hidden=(), embedding=None), ["area", "rooms"]), branches()[1]]
    network_regressor(parts, trainable="embedding*").check_data(X)


def test_stages_are_cloned_with_the_network():
    network = network_regressor(stages=[Stage("individual", epochs=2), Stage(trainable={"place": False})])
    first, second = clone(network).stages
    assert first is not network.stages[0]
    assert (first.get_params(), second.trainable) == (network.stages[0].get_params(), {"place": False})


def test_a_stage_has_an_optimizer_of_its_learning_rate():
    network = network_regressor(optimizer="rmsprop", optimizer__learning_rate=0.5, optimizer__rho=0.7)
    plain, slow = (stage.settings(network, {})["optimizer"] for stage in (Stage(), Stage(learning_rate=0.01)))
    assert [float(part.learning_rate) for part in (plain, slow)] == pytest.approx([0.5, 0.01])
    assert type(slow) is type(plain) and slow.rho == 0.7


def test_epochs_and_patience_are_the_networks_unless_the_stage_has_its_own():
    network = network_regressor(epochs=7, early_stopping=True, patience=4)
    assert (Stage().n_epochs(network), Stage(epochs=2).n_epochs(network)) == (7, 2)
    assert (Stage().patience(network), Stage(early_stopping=False).patience(network)) == (4, None)
