"""When training the networks of all folds at once is faster than one after the other."""

import numpy as np

from .._backend import keras
from ._engine import distinct_bytes

#: Layers of Keras that a vectorised step computes as fast as their own; convolutions and recurrent ones become slower.
#: Ours say so themselves, see :class:`skstack._layers.Layer`.
_VECTORIZABLE = (
    "Activation",
    "Add",
    "Average",
    "BatchNormalization",
    "Concatenate",
    "Dense",
    "Dropout",
    "ELU",
    "Embedding",
    "Flatten",
    "Functional",
    "InputLayer",
    "LayerNormalization",
    "LeakyReLU",
    "Maximum",
    "Multiply",
    "PReLU",
    "ReLU",
    "Sequential",
    "Softmax",
)

#: Weights times rows of a batch up to which a step is mostly overhead, which the networks then share. Measured for six
#: networks on two cores: at 2 ** 14 training together was 2.4 times faster, at 2 ** 17.7 it was 1.5 times, and from
#: 2 ** 19 on it was slower (`docs/performance.md`). That TensorFlow has more to share on a GPU is an estimate.
_MAX_WORK = {"processor": 2**18, "accelerator": 2**24}

#: Steps that the networks must save together. A vectorised step takes half to a whole second longer to trace than a
#: plain one, which a few epochs on a few hundred rows never earn back (`docs/performance.md`). Of five networks, plain
#: ones have to save some 5,000 steps for a first fit to gain by it, branches with dropout and categories 1,000; later
#: fits, which find the program, need 500 at most.
_MIN_SAVED_STEPS = 2**10

#: The same where XLA compiles the step, and what it has to be worth: weights times rows that go through all of the
#: networks in all epochs, or, of networks so small that a step is overhead however it is compiled, the number of steps.
#: From `python -m benchmarks.fused` (`docs/performance.md`).
_MAX_FUSED_WORK, _MIN_FUSED_TRAINING, _MIN_FUSED_STEPS = 2**22, 2**33, 2**14

#: How much more a network by itself has to be worth: its step is then traced as one of several, which takes longer.
_ALONE = 2

#: Epochs that a training with early stopping can be expected to have.
_EXPECTED_EPOCHS = 30

#: Bytes of the encoded rows of all folds together, which are all on the device.
_MAX_BYTES = 2**27

#: Networks that one program trains at once: more save nothing further, and those that have stopped early wait for the
#: others. Bytes of what all of them hold for each weight, which is there four times.
_MAX_TOGETHER, _MAX_HELD = 64, 2**30


def _compiles_for_long(device):
    """Tell whether a vectorised step takes longer to compile than it saves.

    XLA compiles one for a GPU 3 to 6 s longer than a plain one. Of ten epochs it then saves 0 to 0.2 s
    (`docs/performance.md`).
    """
    return device == "accelerator" and keras.backend.backend() == "jax"


def _has_loops(network):
    """Tell whether a network has layers with a loop that TensorFlow cannot vectorise."""
    return keras.backend.backend() == "tensorflow" and any(
        isinstance(layer, keras.layers.RNN) and not layer.unroll for layer in network._flatten_layers()
    )


def is_vectorized(network, jobs, schedule, device):
    """Tell whether to train several networks in one vectorised program.

    Parameters
    ----------
    network : keras.Model
        One of them.
    jobs : list of Job
    schedule : Schedule
    device : {"processor", "accelerator"}
    """
    # Those that are stopped by validation rows and those that have none do not go in step.
    if len(jobs) < 2 or schedule.callbacks or len({len(job.validation_rows) > 0 for job in jobs}) > 1:
        return False
    if schedule.vectorized is not None:
        return schedule.vectorized and not _has_loops(network)
    if _compiles_for_long(device):
        return False
    return (
        _all_vectorizable(network)
        and _n_epochs(jobs, schedule) * -(-_n_rows(jobs) // schedule.batch_size) * (len(jobs) - 1) >= _MIN_SAVED_STEPS
        and (
            _n_weights(network) * schedule.batch_size <= _MAX_WORK[device] or is_fused(network, jobs, schedule, device)
        )
        and distinct_bytes([job.data for job in jobs]) <= _MAX_BYTES
    )


def is_fused(network, jobs, schedule, device):
    """Tell whether XLA compiles the loop of a vectorised program, which takes it some seconds.

    Steps are then faster: of many operations that each take some microseconds to start, it makes few. What decides are
    sizes alone, so that a training gives the same, bit for bit, whatever was compiled before.

    Parameters
    ----------
    network : keras.Model
        One of them.
    jobs : list of Job
    schedule : Schedule
    device : {"processor", "accelerator"}
    """
    if keras.backend.backend() != "tensorflow" or device != "processor" or not _can_be_fused(network):
        return False
    work = _n_weights(network) * schedule.batch_size
    n_steps = _n_epochs(jobs, schedule) * (_n_rows(jobs) // schedule.batch_size)
    factor = _ALONE if len(jobs) == 1 else 1
    return work <= _MAX_FUSED_WORK and (
        n_steps * len(jobs) * work >= factor * _MIN_FUSED_TRAINING or n_steps >= factor * _MIN_FUSED_STEPS
    )


def is_fused_alone(network, job, schedule, device):
    """Tell whether a network that is not trained with others goes through a vectorised program for XLA to compile.

    Parameters
    ----------
    network : keras.Model
    job : Job
    schedule : Schedule
    device : {"processor", "accelerator"}
    """
    return (
        not schedule.callbacks
        and schedule.vectorized is None
        and distinct_bytes([job.data]) <= _MAX_BYTES
        and is_fused(network, [job], schedule, device)
    )


def _n_rows(jobs):
    """Return how many rows each network is trained on, the fewest of them."""
    return min(len(job.training_rows) for job in jobs)


def _n_epochs(jobs, schedule):
    """Return how many epochs a training is expected to have."""
    epochs = schedule.epochs - schedule.initial_epoch
    if schedule.patience is not None and len(jobs[0].validation_rows):
        return min(epochs, _EXPECTED_EPOCHS)
    return epochs


def _all_vectorizable(network):
    return all(
        getattr(layer, "vectorizable", type(layer).__name__ in _VECTORIZABLE)
        for layer in network._flatten_layers(include_self=False)
    )


def _can_be_fused(network):
    """Tell whether a network has nothing that XLA cannot compile, or would compile to something else.

    Where losses are scaled, for float16, a step has a condition. Keras's own dropout draws other random numbers.
    """
    layers = network._flatten_layers(include_self=False)
    return _all_vectorizable(network) and not any(
        layer.compute_dtype == "float16" or isinstance(layer, keras.layers.Dropout) for layer in layers
    )


def _n_weights(network):
    """Return how many weights are trained; those of members that share them count for each, which has its own rows."""
    layers = network._flatten_layers(include_self=False)
    n_weights = sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)
    return n_weights * max((getattr(layer, "n_members", 1) for layer in layers), default=1)


def in_groups(network, jobs):
    """Return jobs, or trainings, in groups of which each can be trained at once, all of about the same size.

    Parameters
    ----------
    network : keras.Model
        One of them.
    jobs : list of Job
    """
    n_weights = sum(int(np.prod(variable.shape)) for variable in network.variables)
    largest = int(np.clip(_MAX_HELD // (16 * max(n_weights, 1)), 1, _MAX_TOGETHER))
    size = -(-len(jobs) // -(-len(jobs) // largest))
    return [jobs[start : start + size] for start in range(0, len(jobs), size)]
