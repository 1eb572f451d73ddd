"""What our Keras layers say about themselves, and that each of them is rebuilt from its config."""

import inspect
from importlib import import_module

import pytest

from skstack._backend import keras
from skstack._layers import Layer
from skstack._registration import LAYER_MODULES
from skstack.backbones._bert_layers import LowRankAdapter, PoolTokens, TokenEmbeddings, TransformerLayer
from skstack.backbones._scaling import ScalePixels
from skstack.branches._audio_layers import LogMel
from skstack.branches._backbone_layers import TrainedFurther
from skstack.branches._date_layers import Cycles, SinceOrigin
from skstack.branches._entity_layers import EntityVectors
from skstack.branches._image_layers import RandomAffine, RandomContrast
from skstack.branches._item_layers import PoolItems
from skstack.branches._layers import Dropout, Merge, MissingEmbedding, SeenMask, Standardize
from skstack.branches._member_layers import DenseOfMembers, MeanOfMembers, RepeatRows, ScaleOfMembers
from skstack.branches._numeric_layers import Periodic, PiecewiseLinear, SmoothClip
from skstack.branches._sequence_layers import Blank, HalveSteps, PoolSteps, StepMask
from skstack.branches._text_layers import (
    AddPositions,
    AttentionMask,
    BackwardTokens,
    BlankPadding,
    LastToken,
    MaximumOfTokens,
    MeanOfTokens,
    MeanOfTokenVectors,
    TokenVectors,
)
from skstack.tasks._layers import ExpUnstandardize, IncreasingQuantiles, Unstandardize

# Each layer of ours with settings that are not the defaults, and whether it may be vectorised.
LAYERS = [
    (AddPositions(name="x"), False),
    (AttentionMask(name="x"), False),
    (BackwardTokens(name="x"), False),
    (Blank(name="x"), False),
    (BlankPadding(name="x"), False),
    (Cycles(2, name="x"), True),
    (DenseOfMembers(3, 2, signs=True, name="x"), True),
    (Dropout(0.3, name="x"), True),
    (EntityVectors(5, 2, name="x"), True),
    (ExpUnstandardize(name="x"), True),
    (HalveSteps(name="x"), False),
    (IncreasingQuantiles([0.1, 0.7], name="x"), True),
    (LastToken(name="x"), False),
    (LowRankAdapter(3, 0.5, name="x"), False),
    (LogMel(4000, 64, 32, 8, name="x"), False),
    (MaximumOfTokens(name="x"), False),
    (MeanOfMembers(2, name="x"), True),
    (MeanOfTokenVectors(5, 2, name="x"), False),
    (MeanOfTokens(name="x"), False),
    (Merge("dot", name="x"), True),
    (MissingEmbedding(drops=True, name="x"), True),
    (Periodic(3, 4, 5, 0.7, name="x"), True),
    (PiecewiseLinear(3, 4, 5, name="x"), True),
    (PoolItems("attention", 3, name="x"), True),
    (PoolSteps("last", name="x"), False),
    (PoolTokens("cls", True, name="x"), False),
    (RandomAffine("both", 0.1, 0.2, 0.3, name="x"), False),
    (RandomContrast(0.4, name="x"), False),
    (RepeatRows(2, name="x"), True),
    (ScaleOfMembers(2, name="x"), True),
    (ScalePixels("caffe", name="x"), False),
    (SeenMask(name="x"), True),
    (SinceOrigin(name="x"), True),
    (SmoothClip(3, name="x"), True),
    (Standardize(flags=False, name="x"), True),
    (StepMask(name="x"), False),
    (TokenEmbeddings(5, 6, 4, 0.1, name="x"), False),
    (TokenVectors(5, 2, name="x"), False),
    (TransformerLayer(2, 6, "relu", 0.1, 3, name="x"), False),
    (Unstandardize(name="x"), True),
]


@pytest.fixture(params=LAYERS, ids=[type(layer).__name__ for layer, _ in LAYERS])
def case(request):
    return request.param


def _registered():
    """Return the layers of ours that Keras knows."""
    modules = map(import_module, LAYER_MODULES)
    own = (value for module in modules for value in vars(module).values() if inspect.isclass(value))
    return {kind for kind in own if keras.saving.get_registered_name(kind).startswith("skstack>")}


def test_every_layer_is_here():
    # The backbone inside of it has tests of its own, see tests/branches/test_backbone_layers.py.
    assert {type(layer) for layer, _ in LAYERS} | {TrainedFurther} == _registered()


def test_layers_say_whether_they_may_be_vectorised(case):
    layer, vectorizable = case
    assert isinstance(layer, Layer)
    assert layer.vectorizable is vectorizable


def test_values_are_settings(case):
    layer, _ = case
    assert layer.value_settings == (("rate",) if isinstance(layer, Dropout) else ())
    assert set(layer.value_settings) <= layer.get_config().keys()


def test_layers_are_rebuilt_from_their_config(case):
    layer, _ = case
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()


OWN = [layer for layer, _ in LAYERS if type(layer).__init__.__module__.startswith("skstack.")]


@pytest.mark.parametrize("layer", OWN, ids=[type(layer).__name__ for layer in OWN])
def test_every_parameter_stands_in_the_config(layer):
    names = set(inspect.signature(type(layer).__init__).parameters) - {"self", "kwargs"}
    assert names <= layer.get_config().keys()


def test_a_layer_of_keras_and_the_base_have_no_constants():
    assert Layer().constants == []
    assert not hasattr(keras.layers.Dense(1), "vectorizable")
