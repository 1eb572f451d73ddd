"""One Keras model for all networks of a search that are built alike.

To build a Keras model takes longer than to train a small one. Candidates that differ in how they are trained, and the
folds of each, draw their initial values by one model and predict by it with values of their own, as the networks of
cross-fitting do.
"""

from numbers import Number

from ..training._inference import CompiledCall
from ..training._seeds import seeded
from ._initial_values import InitialValues
from ._sharing import known_models

#: Parameters of networks that change nothing about what is built, those routed to them included.
_OF_TRAINING = (
    "allow_missing_columns",
    "batch_size",
    "bootstrap",
    "callbacks",
    "class_weight",
    "early_stopping",
    "epochs",
    "fold_training",
    "keep_individual",
    "max_samples",
    "metrics",
    "optimizer",
    "patience",
    "random_state",
    "validation_fraction",
    "validation_part",
    "verbose",
    "warm_start",
)

#: Parameters with which a network is trained in one stage in which all of it is trained; what stages set on a model
#: would else be seen by others.
_ONE_STAGE = {"stages": None, "trainable": True, "branch_learning_rate": 1.0, "freeze_epochs": 0}


class SharedModel:
    """A Keras model that several networks are built from.

    Parameters
    ----------
    assembly : Assembly
    seed : int
        With which it is built.
    """

    def __init__(self, assembly, seed):
        self.assembly, self._initial = assembly, {}
        self.model = self._built(seed)
        self._call = CompiledCall(self.model)

    def initial(self, seed):
        """Return what draws the values that training begins with, by a model built with the seed of the network."""
        if seed not in self._initial:
            self._built(seed)
        return self._initial[seed]

    def _built(self, seed):
        with seeded(seed):
            model = self.assembly.build()
        self._initial[seed] = InitialValues(self.assembly, model, seed)
        return model

    def call(self, values):
        """Return what predicts with the given values; it is compiled once for all."""
        return self._call.with_values(values)


def shared_model(network, assembly, seed):
    """Return the model that a network shares with others, or None if it is to have its own.

    Parameters
    ----------
    network : estimator
    assembly : Assembly
    seed : int
        With which a model is built if there is none yet.
    """
    known, key = known_models(), None
    if known is not None and all(getattr(network, name) == value for name, value in _ONE_STAGE.items()):
        key = _key(network)
    if key is None:
        return None
    alike = known.setdefault(key, [])
    for shared in alike:
        if shared.assembly.is_built_like(assembly):
            return shared
    alike.append(SharedModel(assembly, seed))
    return alike[-1]


def _key(network):
    """Return the parameters that a model depends on, or None if some cannot be compared."""
    without = _OF_TRAINING if network.share_weights else (*_OF_TRAINING, "n_members")
    params = {
        name: plain_text(value)
        for name, value in network.get_params().items()
        if name.partition("__")[0] not in without and name != "branches" and not hasattr(value, "get_params")
    }
    if any(value is None for value in params.values()):
        return None
    return type(network), tuple(sorted(params.items()))


def plain_text(value):
    """Return a text that tells plain values apart, or None for any other."""
    if value is None or isinstance(value, (str, Number)):
        return repr(value)
    if isinstance(value, (list, tuple)):
        parts = [plain_text(part) for part in value]
        return None if None in parts else repr(parts)
    return None
