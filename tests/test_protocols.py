"""What a stack asks of estimators that can do more than others."""

import inspect

import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge

from skstack import MultimodalNetworkClassifier, MultimodalNetworkRegressor
from skstack._protocols import CrossFitter


@pytest.mark.parametrize("network", [MultimodalNetworkRegressor(), MultimodalNetworkClassifier()])
def test_networks_are_asked_by_their_class(network):
    assert isinstance(network, CrossFitter)
    assert not isinstance(FrozenEstimator(network), CrossFitter)
    assert not isinstance(Ridge(), CrossFitter)


@pytest.mark.parametrize("method", sorted(CrossFitter.__abstractmethods__))
def test_networks_take_what_the_protocol_says(method):
    declared = inspect.signature(getattr(CrossFitter, method)).parameters
    taken = inspect.signature(getattr(MultimodalNetworkRegressor, method)).parameters
    assert list(taken) == list(declared)
    assert [parameter.kind for parameter in taken.values()] == [parameter.kind for parameter in declared.values()]
