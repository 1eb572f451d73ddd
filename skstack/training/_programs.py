"""Compiled training programs, reused by networks of the same architecture.

Keras compiles a training step for every model anew, which for small networks takes longer than training them. Folds,
refit, outer folds and most search candidates train the same architecture: they acquire one compiled program in turn and
hand it their own values.
"""

import json
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from numbers import Real

from .._backend import keras
from .._user_code import config_holds_user_code, is_known, layers_hold_user_code
from ..caching._lru import Cache
from ._optimizers import Beginning, rate_multipliers
from ._seeds import seeded
from ._steps import Steps
from ._tables import large_tables, moving_rows
from ._task_losses import average_over_rows
from ._values import divided

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
        average_over_rows(model)
        if joins is None:
            moving_rows(model.optimizer, large_tables(model, model.optimizer))
            if keras.backend.backend() == "tensorflow":
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
def acquired(network, settings, make, joins):
    """Acquire a program for training `network` within a block.

    Parameters
    ----------
    network : keras.Model
        A network of the architecture.
    settings : dict
        Optimizer, and by the name of the task loss and metrics; also, where there are several tasks, "loss_weights",
        what the loss of each counts, and "gaps", whether rows lack its target.
    make : callable
        Returns a compiled model of the same architecture; called where no program for it is idle.
    joins : bool or None
        See Program.

    Yields
    ------
    program : Program
        Nobody else's until the block ends; forgotten if it ends with an error.
    """
    key = program_key(network, settings)
    program = acquire(key, joins)
    if program is None:
        with seeded(0):  # its weights are replaced before they are used
            model = make()
        copy_trainable(network, model)
        program = Program(model, joins)
    yield program
    release(program, key, joins)


def acquire(key, joins):
    """Return an idle program, which is then nobody else's, or None where there is none."""
    return None if key is None else _idle.pop((key, joins))


def release(program, key, joins):
    """Let others have a program, unless nobody can tell what it is good for."""
    if key is not None:
        _idle.put((key, joins), program)


def copy_trainable(network, model):
    """Let a model train what a network of the same architecture trains, and as fast, whoever set it there.

    Parameters
    ----------
    network, model : keras.Model
    """
    pairs = zip(network._flatten_layers(), model._flatten_layers(), strict=True)
    for layer, other in pairs:
        if layer.trainable != other.trainable:
            other.trainable = layer.trainable
    rates = rate_multipliers(network.trainable_variables)
    for rate, variable in zip(rates, model.trainable_variables, strict=True):
        if rate != getattr(variable, "learning_rate_multiplier", 1.0):
            variable.learning_rate_multiplier = rate


def settings_key(settings):
    """Return a text that tells optimizers, losses and metrics apart, or None if they hold code of the user's."""
    configs = _configs(settings)
    return None if configs is None else json.dumps(configs, sort_keys=True, default=str)


def program_key(network, settings, of_network=None):
    """Return a text that is the same for networks that one program can train, or None if that cannot be told.

    Learning rate, weight decay and the rates of our own dropout layers are no part of it.

    Parameters
    ----------
    network : keras.Model
    settings : dict
        See :func:`acquired`.
    of_network : str, default=None
        What :func:`architecture_key` says of the network, if that is known.
    """
    of_network, configs = of_network or architecture_key(network), _configs(settings)
    if of_network is None or configs is None:
        return None
    optimizer = configs[0]["config"] if isinstance(configs[0], dict) else {}
    if isinstance(optimizer.get("learning_rate"), Real):
        optimizer["learning_rate"] = "a number"
    if optimizer.get("weight_decay") is not None:
        optimizer["weight_decay"] = "a number"
    trained = divided(network)[0]  # of which configs do not tell where one layer keeps others
    rates = dict(zip(trained, rate_multipliers(trained.values()), strict=True))
    return of_network + json.dumps([*configs, rates], sort_keys=True, default=str)


def architecture_key(network):
    """Return a text that is the same for networks of one architecture, or None if they hold code of the user's."""
    if layers_hold_user_code(network):
        return None
    config = network.get_config()
    return None if config_holds_user_code(config) else json.dumps(_without_values(config), sort_keys=True, default=str)


def _configs(settings):
    parts = [settings["optimizer"], *_listed(settings["loss"]), *_listed(settings["metrics"])]
    parts.append(str([settings.get(name) for name in ("loss_weights", "gaps")]))
    if isinstance(parts[0], str):
        parts[0] = keras.optimizers.get(parts[0])
    if not all(isinstance(part, str) or is_known(part) for part in parts):
        return None
    configs = [part if isinstance(part, str) else _config(part) for part in parts]
    return None if config_holds_user_code(configs) else configs


def _listed(by_task):
    """Return what there is for each task as one list, in which the names of tasks stand before what is theirs."""
    parts = []
    for name, of_task in sorted(by_task.items()):
        parts += [name, *(of_task if isinstance(of_task, list) else [of_task])]
    return parts


def _config(part):
    serialized = keras.saving.serialize_keras_object(part)
    if isinstance(serialized.get("config"), dict):
        serialized["config"].pop("name", None)  # numbered by Keras: adam, adam_1, ...
        # An optimizer that was made fit for pure functions is of a class that Keras does not know by its short module.
        serialized["module"] = serialized["module"].partition(".")[0]
        serialized["registered_name"] = serialized["registered_name"] or serialized["class_name"]
    return serialized


def _without_values(config):
    """Return a config without the settings of our layers that are values of variables, not part of an architecture."""
    if isinstance(config, dict):
        layer = keras.saving.get_registered_object(config.get("registered_name"))
        values = getattr(layer, "value_settings", ())
        return {
            name: _without_values({k: v for k, v in part.items() if k not in values} if name == "config" else part)
            for name, part in config.items()
        }
    return [_without_values(part) for part in config] if isinstance(config, (list, tuple)) else config
