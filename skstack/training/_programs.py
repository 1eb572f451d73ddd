"""Compiled training programs, reused by networks of the same architecture.

Keras compiles a training step for every model anew, which for small networks takes longer than training them. Folds,
refit, outer folds and most search candidates train the same architecture: they borrow one compiled program in turn and
hand it their own values.
"""

import json
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from numbers import Real

from .._backend import keras
from .._user_code import config_holds_user_code, is_known, layers_hold_user_code
from ._cache import Cache
from ._optimizers import Beginning, rate_multipliers
from ._seeds import seeded
from ._steps import Steps

#: Parts of a config that are values of variables or arguments of a program, not part of its architecture.
_VALUES = {"skstack>Dropout": ("rate",)}

#: Compiled programs, while nobody trains with them.
_idle = Cache(max_items=16)


class Program:
    """A compiled model that networks of one architecture train with, one call at a time.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    joins : bool or None
        Whether the optimizer may work on one vector of all weights; ``None`` for training with Keras ``fit``.
    """

    def __init__(self, model, joins):
        self.model = model
        self._joins = joins
        if joins is None and keras.backend.backend() == "tensorflow":
            self.backend.densified(model.optimizer)

    @cached_property
    def backend(self):
        """Module with the compiled loops for the running Keras backend."""
        return import_module(f"._{keras.backend.backend()}", __package__)

    @cached_property
    def device(self):
        """What the program runs on: "processor" or "accelerator"."""
        return "accelerator" if self.backend.has_accelerator() else "processor"

    @cached_property
    def steps(self):
        """The steps of training and evaluation as pure functions."""
        return Steps(self.model, self.backend.value_and_gradients, self._joins)

    @cached_property
    def beginning(self):
        """How the state of the optimizer begins that Keras ``fit`` uses."""
        self.model.optimizer.build(self.model.trainable_variables)
        return Beginning(self.model.optimizer)

    @cached_property
    def loops(self):
        """Compiled loops of these steps."""
        return self.backend.Loops({"train": self.steps.train, "evaluate": self.steps.evaluate})


@contextmanager
def borrowed(network, settings, make, joins):
    """Lend a program for training `network`, made by `make` where none of its architecture is idle.

    Parameters
    ----------
    network : keras.Model
        A network of the architecture.
    settings : dict
        Optimizer, loss and metrics.
    make : callable
        Returns a compiled model of the same architecture.
    joins : bool or None
        See Program.

    Yields
    ------
    program : Program
        Nobody else's until the block ends; not lent again if the block ends with an error.
    """
    key = program_key(network, settings)
    program = None if key is None else _idle.pop((key, joins))
    if program is None:
        with seeded(0):  # its weights are replaced before they are used
            program = Program(make(), joins)
    yield program
    if key is not None:
        _idle.put((key, joins), program)


def settings_key(settings):
    """Return a text that tells optimizers, losses and metrics apart, or None if they hold code of the user's."""
    configs = _configs(settings)
    return None if configs is None else json.dumps(configs, sort_keys=True, default=str)


def program_key(network, settings):
    """Return a text that is the same for networks that one program can train, or None if that cannot be told.

    Learning rate, weight decay and the rates of our own dropout layers are no part of it.
    """
    of_network, configs = architecture_key(network), _configs(settings)
    if of_network is None or configs is None:
        return None
    optimizer = configs[0]["config"] if isinstance(configs[0], dict) else {}
    if isinstance(optimizer.get("learning_rate"), Real):
        optimizer["learning_rate"] = "a number"
    if optimizer.get("weight_decay") is not None:
        optimizer["weight_decay"] = "a number"
    multipliers = rate_multipliers(network.trainable_variables)
    return of_network + json.dumps([*configs, multipliers], sort_keys=True, default=str)


def architecture_key(network):
    """Return a text that is the same for networks of one architecture, or None if they hold code of the user's."""
    if layers_hold_user_code(network):
        return None
    config = network.get_config()
    return None if config_holds_user_code(config) else json.dumps(_without_values(config), sort_keys=True, default=str)


def _configs(settings):
    parts = [settings["optimizer"], settings["loss"], *settings["metrics"]]
    if isinstance(parts[0], str):
        parts[0] = keras.optimizers.get(parts[0])
    if not all(isinstance(part, str) or is_known(part) for part in parts):
        return None
    configs = [part if isinstance(part, str) else _config(part) for part in parts]
    return None if config_holds_user_code(configs) else configs


def _config(part):
    serialized = keras.saving.serialize_keras_object(part)
    if isinstance(serialized.get("config"), dict):
        serialized["config"].pop("name", None)  # numbered by Keras: adam, adam_1, ...
    return serialized


def _without_values(config):
    if isinstance(config, dict):
        values = _VALUES.get(config.get("registered_name"), ())
        return {
            name: _without_values({k: v for k, v in part.items() if k not in values} if name == "config" else part)
            for name, part in config.items()
        }
    return [_without_values(part) for part in config] if isinstance(config, (list, tuple)) else config
