"""Branches: how columns of one kind of data become a feature vector."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AudioBranch": "._audio",
        "Branch": "._base",
        "CategoricalBranch": "._categorical",
        "DateBranch": "._date",
        "EntityBranch": "._entity",
        "ImageBranch": "._image",
        "ModelBranch": "._model",
        "NumericBranch": "._numeric",
        "PretrainedBranch": "._pretrained",
        "SequenceBranch": "._sequence",
        "TextBranch": "._text",
    },
)
