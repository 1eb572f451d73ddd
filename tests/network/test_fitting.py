"""A fit of several stages that goes on, and one that begins anew."""

import numpy as np
from _small import make_table, network_regressor

from skstack.training._values import values_of

X, Y = make_table()
STAGED = {"stages": "individual+joint", "epochs": 2, "batch_size": 16, "optimizer": "sgd"}


def _moved(before, after):
    names = [name for name in after if name.endswith(("kernel", "bias", "embeddings"))]
    return {name for name in names if not np.array_equal(before[name], after[name])}


def test_a_warm_start_goes_on_with_the_last_stage():
    network = network_regressor(**STAGED, warm_start=True, trainable={"place": False}).fit(X, Y)
    before = values_of(network.model_)
    network.fit(X, Y)
    assert [stage.training for stage in network.stages_] == ["joint"]
    assert len(network.history_["loss"]) == 2
    moved = _moved(before, values_of(network.model_))
    assert any(name.startswith("numbers") for name in moved)
    assert not any(name.startswith("place") for name in moved)


def test_partial_fit_trains_the_whole_network_as_the_last_stage_does():
    network = network_regressor(**STAGED, trainable={"place": False})
    before = values_of(network.initialize(X, Y).model_)
    after = values_of(network.partial_fit(X, Y).model_)
    assert {name.split("_")[0] for name in _moved(before, after)} == {"numbers", "head", "output"}
    assert (len(network.history_["loss"]), [stage.training for stage in network.stages_]) == (1, ["joint"])
    first = values_of(network_regressor(**STAGED, trainable={"place": False}).partial_fit(X, Y).model_)
    for name, value in after.items():
        np.testing.assert_array_equal(first[name], value)


def test_a_further_fit_begins_anew():
    network = network_regressor(**STAGED, trainable={"place": False}, freeze_epochs=1).fit(X, Y)
    predicted = network.predict(X)
    np.testing.assert_array_equal(network.fit(X, Y).predict(X), predicted)
    assert [stage.training for stage in network.stages_] == ["individual", "individual", "joint", "joint"]
