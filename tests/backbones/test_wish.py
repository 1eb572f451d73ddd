"""What a user asks a backbone to be."""

from pathlib import Path

import pytest
from _backbones import TINY, wish
from sklearn.base import BaseEstimator, clone

from skstack.backbones._scaling import SCALINGS
from skstack.backbones._wish import CONSTRAINTS, SharesBackbone


@pytest.mark.parametrize(
    ("backbone", "kind"),
    [
        ("VGG16", "name"),
        ("tiny.keras", "file"),
        ("tiny.h5", "file"),
        (Path("VGG16"), "file"),
        (TINY, "model"),
        (3, "model"),
    ],
)
def test_a_backbone_is_a_name_a_file_or_a_model(backbone, kind):
    asked = wish(backbone=backbone)
    assert [asked.is_name(), asked.is_file(), asked.is_model()] == [kind == each for each in ("name", "file", "model")]


def test_every_scaling_can_be_asked_for():
    assert CONSTRAINTS["preprocess"][0].options == {"auto", *SCALINGS}


class Estimator(SharesBackbone, BaseEstimator):
    """Has parameters that clones share, and one that they copy."""

    def __init__(self, backbone=None, preprocess="auto", hidden=None):
        self.backbone = backbone
        self.preprocess = preprocess
        self.hidden = hidden


def test_clones_share_a_model_but_not_the_rest():
    estimator = Estimator(TINY, TINY.layers[-1], hidden=[3])
    cloned = clone(estimator)
    assert cloned.backbone is TINY
    assert cloned.preprocess is TINY.layers[-1]
    assert cloned.hidden is not estimator.hidden
    assert cloned.get_params() == estimator.get_params()
    assert clone(Estimator("VGG16")).get_params() == Estimator("VGG16").get_params()
