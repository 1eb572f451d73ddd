"""Compiled training programs, reused by networks of the same architecture.

Keras compiles a training step for every model anew, which for small networks takes longer than training them. Folds,
refit, outer folds and most search candidates train the same architecture: they borrow one compiled model in turn, pour
their own weights in and take the trained ones out.
"""

import json
import threading
from collections import OrderedDict
from contextlib import contextmanager

import numpy as np

from .._backend import keras

#: Compiled models that are kept while nobody trains with them.
_MAX_IDLE = 16

_idle = OrderedDict()
_lock = threading.Lock()


class Program:
    """A compiled model that networks of one architecture train with, one at a time.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    """

    def __init__(self, model):
        self.model = model
        model.optimizer.build(model.trainable_variables)
        self._fresh_state = self.optimizer_state()
        self._epochs = None

    def epoch_program(self):
        """Return the compiled epochs of this program."""
        if self._epochs is None:
            from ._tensorflow import EpochProgram

            self._epochs = EpochProgram(self.model)
        return self._epochs

    def start_from(self, source, optimizer_state):
        """Take over the variables of a network, and the state of its optimizer or a fresh one."""
        _copy(_variables(source), _variables(self.model))
        state = self._fresh_state if optimizer_state is None else optimizer_state
        for variable, value in zip(self.model.optimizer.variables, state, strict=True):
            variable.assign(value)

    def give_to(self, target):
        """Hand the trained variables to a network."""
        _copy(_variables(self.model), _variables(target))

    def optimizer_state(self):
        """Return the variables of the optimizer as arrays."""
        return [np.array(keras.ops.convert_to_numpy(variable)) for variable in self.model.optimizer.variables]


@contextmanager
def borrowed(network, settings, make):
    """Lend a program for training `network`, made by `make` where none of its architecture is idle.

    Parameters
    ----------
    network : keras.Model
        The network to be trained.
    settings : dict
        Optimizer, loss and metrics.
    make : callable
        Returns a compiled model of the same architecture.

    Yields
    ------
    program : Program
        Nobody else's until the block ends; not lent again if the block ends with an error.
    """
    key = _key(network, settings)
    with _lock:
        program = _idle.pop(key, None) if key is not None else None
    program = Program(make()) if program is None else program
    yield program
    if key is not None:
        with _lock:
            _idle[key] = program
            while len(_idle) > _MAX_IDLE:
                _idle.popitem(last=False)


def clear_cache():
    """Forget the compiled training programs that are kept for further fits.

    Examples
    --------
    >>> import skstack.training
    >>> skstack.training.clear_cache()
    """
    with _lock:
        _idle.clear()


def settings_key(settings):
    """Return a text that tells optimizers, losses and metrics apart, or None if they hold code of the user's."""
    parts = [settings["optimizer"], settings["loss"], *settings["metrics"]]
    if not all(isinstance(part, str) or _is_known(part) for part in parts):
        return None
    configs = [part if isinstance(part, str) else _config(part) for part in parts]
    # Of a function, and of a class of the user's inside another part, a config records no more than the name.
    of_user = _holds_functions(configs) or '"registered_name": "Custom>' in json.dumps(configs, default=str)
    return None if of_user else json.dumps(configs, sort_keys=True, default=str)


def _config(part):
    serialized = keras.saving.serialize_keras_object(part)
    if isinstance(serialized.get("config"), dict):
        serialized["config"].pop("name", None)  # numbered by Keras: adam, adam_1, ...
    return serialized


def _key(network, settings):
    # Code of the user's can change under the same name, as in a notebook cell that is run again.
    layers = list(network._flatten_layers())
    if not all(_is_known(layer) and not isinstance(layer, keras.layers.Lambda) for layer in layers):
        return None
    of_settings, config = settings_key(settings), network.get_config()
    if of_settings is None or _holds_functions(config):
        return None
    return json.dumps(config, sort_keys=True, default=str) + of_settings


def _holds_functions(config):
    """Tell whether a Keras config holds a function, of which it records no more than the name."""
    if isinstance(config, dict):
        return config.get("class_name") in ("function", "__lambda__") or any(map(_holds_functions, config.values()))
    return isinstance(config, (list, tuple)) and any(map(_holds_functions, config))


def _is_known(part):
    module = getattr(part, "__module__", None) or type(part).__module__
    return module.partition(".")[0] in ("keras", "skstack")


def _variables(model):
    return [*model.trainable_variables, *model.non_trainable_variables]


def _copy(sources, targets):
    for source, target in zip(sources, targets, strict=True):
        target.assign(source.value)
