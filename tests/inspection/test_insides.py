"""Means of what was seen in several networks."""

import numpy as np
import pytest
from _insides import image_branch, patch_images, table_of
from sklearn.utils import Bunch

from skstack import MultimodalNetworkClassifier, MultimodalStackingClassifier
from skstack.inspection import grad_cam
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
