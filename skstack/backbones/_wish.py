"""What a user asks a backbone to be, and the parameters that say so."""

from copy import copy
from dataclasses import dataclass
from os import PathLike

from sklearn.utils._param_validation import StrOptions

#: What stands in front of the name of a preset of KerasHub.
HUB = "keras_hub:"

#: Parameter constraints of what takes a backbone.
CONSTRAINTS = {
    "weights": [str, PathLike, None],
    "feature_layer": [str, None],
    "preprocess": [StrOptions({"auto", "tf", "torch", "caffe"}), callable, None],
    "pooling": [StrOptions({"avg", "max", "flatten"})],
}


@dataclass(frozen=True)
class Wish:
    """What a user asks for; see :class:`~skstack.preprocessing.ImageEmbedder` for the fields."""

    backbone: object
    weights: object
    feature_layer: str | None
    preprocess: object
    pooling: str
    size: tuple | None
    channels: int

    def is_name(self):
        """Tell whether the backbone is one of keras.applications."""
        return isinstance(self.backbone, str) and not self.is_hub() and not self.backbone.endswith((".keras", ".h5"))

    def is_hub(self):
        """Tell whether the backbone is a preset of KerasHub."""
        return isinstance(self.backbone, str) and self.backbone.startswith(HUB)

    def is_file(self):
        """Tell whether the backbone lies in a file."""
        return isinstance(self.backbone, (str, PathLike)) and not self.is_name() and not self.is_hub()

    def is_model(self):
        """Tell whether the backbone is a model of the user's."""
        return not isinstance(self.backbone, (str, PathLike))


class SharesBackbone:
    """Mixin of estimators with parameters `backbone` and `preprocess`: clones share Keras objects, only read."""

    def __sklearn_clone__(self):
        names = [name for name in ("backbone", "preprocess") if not _is_plain(getattr(self, name))]
        bare = copy(self)
        vars(bare).update(dict.fromkeys(names))
        cloned = super(SharesBackbone, bare).__sklearn_clone__()
        vars(cloned).update({name: getattr(self, name) for name in names})
        return cloned


def _is_plain(value):
    return isinstance(value, (str, PathLike, type(None)))
