"""Grad-CAM of photos, beside what their predictions alone cost.

A network of a small convolutional branch over photos of 64 x 64 pixels, and one with a frozen backbone in front (VGG16
with a quarter of its filters, at 224 x 224), whose features the predictions have in the cache, while Grad-CAM sends the
photos through the backbone. Networks are trained for one epoch: what they learned does not change their speed.
"""

from pathlib import Path

import numpy as np

from ._comparison import Comparison, cold, warm
from ._job import Job
from .bench_frozen_backbone import backbone_folder


def _network(n_samples, side, **branch):
    from skstack import MultimodalNetworkRegressor
    from skstack.branches import ImageBranch

    generator = np.random.default_rng(0)
    X = generator.integers(0, 256, (n_samples, side, side, 3), dtype="uint8")
    branches = [("photo", ImageBranch(**branch))]
    network = MultimodalNetworkRegressor(branches, epochs=1, early_stopping=False, random_state=0)
    return network.fit(X, generator.standard_normal(n_samples)), X


def _maps(network, X):
    from skstack.inspection import grad_cam

    return Job(lambda: grad_cam(network, X, branch="photo"), lambda result: {"maps": len(result.maps)})


def _predictions(network, X):
    return Job(lambda: network.predict(X), lambda result: {"predictions": len(result)})


def ours(n_samples, side):
    return _maps(*_network(n_samples, side, size=(side, side)))


def predictions(n_samples, side):
    return _predictions(*_network(n_samples, side, size=(side, side)))


def ours_through_backbone(folder, n_samples, side, size):
    backbone = {"backbone": Path(folder, "backbone.keras"), "preprocess": "tf"}
    return _maps(*_network(n_samples, side, size=(size, size), **backbone))


def predictions_of_features(folder, n_samples, side, size):
    backbone = {"backbone": Path(folder, "backbone.keras"), "preprocess": "tf"}
    return _predictions(*_network(n_samples, side, size=(size, size), **backbone))


COMPARISONS = (
    Comparison(
        name="grad_cam",
        work="Grad-CAM of {n_samples:,} photos, {side} x {side}",
        peer="the predictions alone",
        ours_job="bench_grad_cam:ours",
        peer_job="bench_grad_cam:predictions",
        figures=(cold(), warm()),
        full={"n_samples": 1000, "side": 64},
        quick={"n_samples": 20, "side": 16},
        ours_runs=2,
        peer_runs=2,
    ),
    Comparison(
        name="grad_cam_backbone",
        work="Grad-CAM of {n_samples:,} photos through a frozen VGG16 / 4, {size} x {size}",
        peer="the predictions from features in the cache",
        ours_job="bench_grad_cam:ours_through_backbone",
        peer_job="bench_grad_cam:predictions_of_features",
        figures=(cold(), warm()),
        full={"n_samples": 1000, "side": 64, "size": 224},
        quick={"n_samples": 8, "side": 16, "size": 32},
        ours_runs=2,
        peer_runs=2,
        n_repeats=1,
        shared=backbone_folder,
    ),
)
