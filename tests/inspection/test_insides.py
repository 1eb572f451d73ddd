"""Means of what was seen in several networks."""

import numpy as np
import pandas as pd
import pytest
from _insides import image_branch, patch_images, table_of
from sklearn.utils import Bunch

from skstack import MultimodalNetworkClassifier, MultimodalStackingClassifier
from skstack.inspection import grad_cam, integrated_gradients, saliency
from skstack.inspection._insides import mean_of_insides


def seen(values, names=("a", "b")):
    return Bunch(maps=np.array(values), names=np.array(names), parts=Bunch(one=np.array(values) * 2), layer="conv")


def test_arrays_are_averaged_wherever_they_are_and_names_stay():
    mean = mean_of_insides([seen([1.0, 2.0]), seen([3.0, 6.0])])
    assert mean.maps.tolist() == [2, 4]
    assert mean.parts.one.tolist() == [4, 8]
    assert mean.names.tolist() == ["a", "b"]
    assert mean.layer == "conv"


def test_networks_that_read_other_words_have_no_mean():
    with pytest.raises(ValueError, match="differ in what they see"):
        mean_of_insides([seen([1.0, 2.0]), seen([3.0, 6.0], ["a", "c"])])
    with pytest.raises(ValueError, match="differ in what they see"):
        mean_of_insides([seen([1.0, 2.0]), seen([3.0, 6.0, 7.0])])


def test_maps_of_the_networks_of_folds_are_averaged():
    X = table_of(np.concatenate([patch_images(), 255 - patch_images()]))
    template = MultimodalNetworkClassifier(epochs=1, early_stopping=False)
    parts = [("photo", image_branch(), ["photo"])]
    stack = MultimodalStackingClassifier(parts, network=template, cv=2, refit="folds", random_state=0)
    stack.fit(X, [0, 1] * 4)
    each = [grad_cam(network, X, branch="photo", output=1).maps for network in stack.fold_estimators_["network"]]
    mean = grad_cam(stack, X, branch="photo", output=1).maps
    np.testing.assert_allclose(mean, np.mean(each, axis=0), rtol=1e-5)
    assert (each[0] != each[1]).any()


def test_networks_of_folds_explain_the_class_that_they_predict_together():
    X = table_of(np.concatenate([patch_images(), 255 - patch_images()]))
    template = MultimodalNetworkClassifier(epochs=1, early_stopping=False, head=())
    parts = [("photo", image_branch(), ["photo"])]
    stack = MultimodalStackingClassifier(parts, network=template, cv=2, refit="folds", random_state=0)
    stack.fit(X, ["a", "b", "c", "a"] * 2)
    networks = stack.fold_estimators_["network"]
    for network, bias in zip(networks, ([1.0, 0.0, 0.0], [0.0, 0.0, 3.0]), strict=True):
        values = network._compiled_call.values  # those of its own, in a model that networks share
        (name,) = [name for name in values if "output" in name and "bias" in name]
        values[name] = np.array(bias, dtype="float32")
    probabilities = [network.predict_proba(X) for network in networks]
    assert [set(of_network.argmax(axis=1)) for of_network in probabilities] == [{0}, {2}]
    mean = np.mean(probabilities, axis=0).argmax(axis=1)
    for function, params in ((grad_cam, {}), (saliency, {}), (integrated_gradients, {"n_steps": 2})):
        result = function(stack, X, branch="photo", **params)
        assert result.outputs.tolist() == stack.classes_[mean].tolist()
    alike = grad_cam(stack, X, branch="photo", output="c").maps
    np.testing.assert_array_equal(grad_cam(stack, X, branch="photo").maps, alike)
    twice = grad_cam(stack, pd.concat([X] * 2), branch="photo").maps
    np.testing.assert_allclose(twice, np.concatenate([alike] * 2), rtol=1e-5)
