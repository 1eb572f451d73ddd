"""A network of the table alone, beside that of all branches."""

import numpy as np
import pandas as pd
import pytest
from _data import plain_table

from skstack import (
    MultimodalNetworkClassifier,
    MultimodalNetworkRegressor,
    MultimodalStackingRegressor,
    MultitaskNetwork,
    suggest_estimators,
)


def _photos(n_rows=40):
    X, y = plain_table(n_rows)
    pixels = np.random.default_rng(0).integers(0, 255, (n_rows, 8, 8, 3), dtype="uint8")
    return X[["area", "color"]].assign(photo=pd.Series(list(pixels))), y


def _network(suggested):
    return {name: (part, columns) for name, part, columns in suggested}.get("table_network")


def test_where_there_are_images_a_network_does_without_them():
    X, y = _photos()
    network, columns = _network(suggest_estimators(X, y))
    assert columns == ["area", "color"]
    assert [(name, chosen) for name, _, chosen in network.branches] == [
        ("numbers", ["area"]),
        ("categories", ["color"]),
    ]
    assert isinstance(network, MultimodalNetworkRegressor)


def test_without_images_or_without_a_table_there_is_no_such_network():
    X, y = _photos()
    assert _network(suggest_estimators(X[["area", "color"]], y)) is None
    assert _network(suggest_estimators(X[["photo"]], y)) is None
    assert _network(suggest_estimators(X, y, backbone="EfficientNetB0")) is None
    assert _network(suggest_estimators(np.zeros((9, 28, 28), "uint8"), np.arange(9.0))) is None


@pytest.mark.parametrize(
    ("task", "network"),
    [
        ("regression", MultimodalNetworkRegressor),
        ("classification", MultimodalNetworkClassifier),
        ({"price": "regression"}, MultitaskNetwork),
    ],
)
def test_the_network_predicts_what_the_stack_does(task, network):
    X, y = _photos()
    y = (y > 9).astype(int) if task == "classification" else y
    assert type(_network(suggest_estimators(X, y, task=task))[0]) is network


def test_a_stack_trains_it_like_its_own():
    X, y = _photos()
    template = MultimodalNetworkRegressor(head=(4,), epochs=1)
    stack = MultimodalStackingRegressor(network=template, cv=2, random_state=0, quality="fast")
    stack.fit(X.set_axis(range(3), axis=1), y)  # without names, columns are counted within the network
    network = stack.named_estimators_["table_network"]
    assert (network.head, network.epochs) == ((4,), 1)
    assert [chosen for *_, chosen in network.branches] == [[0], [1]]
    assert template.branches is None


@pytest.mark.parametrize(("quality", "n_members"), [("fast", 1), ("good", 4), ("best", 8)])
def test_it_has_as_many_members_as_quality_says(quality, n_members):
    assert _network(suggest_estimators(*_photos(), quality=quality))[0].n_members == n_members
