"""Networks in training, one alone or several in one vectorised program, and the compiled loops that they run."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from .._backend import keras
from ._batches import in_step
from ._listeners import Listeners, NoListeners
from ._values import to_array

tree = keras.tree
map_structure = tree.map_structure

#: Bytes of encoded rows that are handed to the device as a whole: to the processor, where that is a second copy of them
#: in memory, and to an accelerator, which waits for what it is handed. Larger data come in pieces, each epoch anew.
_MAX_PLACED = {"processor": 2**27, "accelerator": 2**31}

#: Bytes of such a piece, of which two are there at a time.
_PIECE = 2**25


# --- engines ----------------------------------------------------------------------------------------------------------


class Engine:
    """One network in training.

    Parameters
    ----------
    program : Program
    settings : dict
        Holds the optimizer.
    job : Job
    placed : dict
        Tensors of the arrays that are on the device already, which jobs share; they are kept as long as this.
    """

    def __init__(self, program, settings, job, placed):
        self._runner = Runner(program)
        self._hyperparameters = self._runner.hyperparameters(settings)
        self._data = Data(job.data, self._runner, placed)
        self.name = job.name
        self._stopping_data = Data(job.stopping_data, self._runner, placed)
        self._fixed = program.steps.fixed(job.values)
        self._placed_fixed = map_structure(self._runner.place, self._fixed)
        self.state = map_structure(self._runner.place, program.steps.start(job.values, job.optimizer_state, settings))

    def train(self, rows, batch_size):
        """Go once through the given rows in their order; return loss and metrics.

        Parameters
        ----------
        rows : list of ndarray of int
            One array, for the only network.
        batch_size : int

        Returns
        -------
        logs : list of dict
        """
        self.state = self._run("train", self._data, rows[0], batch_size)
        return [self._runner.logs(self.state)]

    def evaluate(self, rows, batch_size):
        """Return loss and metrics on the given rows; see :meth:`train`."""
        return [self._runner.logs(self._run("evaluate", self._stopping_data, rows[0], batch_size))]

    def _run(self, kind, data, rows, batch_size):
        state = self._runner.reset(self.state)
        for placed, indices in data.pieces(rows, batch_size):
            state = self._runner.run(
                kind, state, self._placed_fixed, self._hyperparameters, placed, indices, batch_size
            )
        return state

    def listen(self, schedule):
        """Return what tells callbacks about the epochs."""
        return Listeners(self, self._runner, schedule) if schedule.callbacks else NoListeners()

    def state_of(self, index):
        """Return the present state of a network."""
        return self.state

    def finish(self, index, best, last):
        """Return values and optimizer state of a network that stopped in the state `last`, with the weights of `best`.

        Without validation rows there is no `best`, and it is None.
        """
        return self._runner.finish(best or last, last, self._fixed)


class VectorizedEngine:
    """Several networks in training, in one vectorised program.

    Parameters
    ----------
    program : Program
    trainings : list of Training
        With the settings of each, which hold the optimizer.
    fused : bool, default=False
        Whether XLA compiles the loop over whole batches of training.
    """

    def __init__(self, program, trainings, fused=False):
        self._runner, self._fused = Runner(program), fused
        place, jobs = self._runner.place, [training.job for training in trainings]
        self._hyperparameters = [self._runner.hyperparameters(training.settings) for training in trainings]
        self._stacked_hyperparameters = self._runner.stack(self._hyperparameters)
        self._fixed = [program.steps.fixed(job.values) for job in jobs]
        self._placed_fixed = [map_structure(place, values) for values in self._fixed]
        self._stacked_fixed = self._runner.stack(self._placed_fixed)
        starts = [program.steps.start(one.job.values, one.job.optimizer_state, one.settings) for one in trainings]
        self._stacked = self._runner.stack([map_structure(place, start) for start in starts])
        self._data = _Together([job.data for job in jobs], self._runner)
        has_own = any(job.validation_data is not None for job in jobs)
        self._stopping_data = _Together([job.stopping_data for job in jobs], self._runner) if has_own else self._data
        self._n_networks, self._states = len(jobs), None

    def train(self, rows, batch_size):
        """Go once through the given rows of each network in their order; return loss and metrics of each."""
        self._stacked, self._states = self._run("train", self._data, rows, batch_size), None
        return self._runner.logs_of_all(self._stacked)

    def evaluate(self, rows, batch_size):
        """Return loss and metrics of each network on the given rows."""
        together = min(batch_size, *map(len, rows))  # what decides about the size is memory alone
        return self._runner.logs_of_all(self._run("evaluate", self._stopping_data, rows, max(1, together)))

    def _run(self, kind, data, rows, batch_size):
        """Go through rows in step, and what some networks have left network by network; return the stacked state."""
        runner, values = self._runner, (self._stacked_fixed, self._stacked_hyperparameters)
        state = self._stacked | runner.zeros(self._n_networks)
        batches, left = in_step(rows, batch_size)
        for in_one_size in batches:
            # The last batch is one step, and few batches are evaluated, which is not worth another program.
            fused = self._fused and kind == "train" and in_one_size.shape[-1] == batch_size
            placed = *values, data.joined, data.offsets
            state = runner.run_vectorized(kind, state, *placed, in_one_size, fused, self._fused)
        if not any(map(len, left)):
            return state
        after = []
        for place, (of_network, indices) in enumerate(zip(runner.unstack(state), left, strict=True)):
            own = self._placed_fixed[place], self._hyperparameters[place]
            for placed, chosen in data.of_network(place).pieces(indices, batch_size) if len(indices) else ():
                of_network = runner.run(kind, of_network, *own, placed, chosen, batch_size)
            after.append(of_network)
        return runner.stack(after)

    def listen(self, schedule):
        """Return what tells callbacks about the epochs: there are none."""
        return NoListeners()

    def state_of(self, index):
        """Return the present state of a network."""
        if self._states is None:
            self._states = self._runner.unstack(self._stacked)
        return self._states[index]

    def finish(self, index, best, last):
        """See Engine."""
        return self._runner.finish(best or last, last, self._fixed[index])


class _Together:
    """The data of several networks on the device, joined, and those of each where one goes on by itself.

    Parameters
    ----------
    parts : list of dict
    runner : Runner
    """

    def __init__(self, parts, runner):
        self._parts, self._runner, self._placed, self._own = parts, runner, {}, {}
        joined = map_structure(lambda *arrays: _Joined(arrays), *parts)
        self.joined = map_structure(lambda part: runner.place(part.array), joined)
        self.offsets = map_structure(lambda part: runner.place(part.offsets), joined)

    def of_network(self, place):
        """Return the data of a network."""
        if place not in self._own:
            self._own[place] = Data(self._parts[place], self._runner, self._placed)
        return self._own[place]


class _Joined:
    """The arrays of several networks as one, each distinct array once, and where the rows of each network begin."""

    def __init__(self, arrays):
        distinct = {id(array): array for array in arrays}
        begins = dict(zip(distinct, np.cumsum([0, *map(len, distinct.values())])[:-1], strict=True))
        parts = [np.asarray(array) for array in distinct.values()]
        self.array = parts[0] if len(parts) == 1 else np.concatenate(parts)
        self.offsets = np.array([begins[id(array)] for array in arrays], dtype="int32")


class Runner:
    """What engines need of a program."""

    def __init__(self, program):
        self._loops = program.loops
        self._backend = program.backend
        self.steps = program.steps
        self.model = program.model
        self.place = program.backend.place
        self.device = program.device
        self._zero = map_structure(self.place, self.steps.reset({}))

    def hyperparameters(self, settings):
        """Return the values of the hyperparameters of the optimizer in some settings, by name."""
        optimizer = keras.optimizers.get(settings["optimizer"])
        return {name: self.place(np.float32(getattr(optimizer, name))) for name in self.steps.hyperparameters}

    def reset(self, state):
        """Return a state with loss and metrics set back."""
        return state | self._zero

    def run(self, kind, state, fixed, hyperparameters, data, rows, batch_size):
        """Go through rows of placed data in batches."""
        return self._loops.run(kind, state, fixed, hyperparameters, data, rows, batch_size)

    def run_vectorized(self, kind, state, fixed, hyperparameters, data, offsets, batches, *how):
        """Go through batches of several networks in step, whose states, values and hyperparameters are stacked."""
        return self._loops.run_vectorized(kind, state, fixed, hyperparameters, data, offsets, batches, *how)

    def zeros(self, n_networks):
        """Return what sets loss and metrics of several networks back, stacked."""
        return self.stack([self._zero] * n_networks)

    def unstack(self, state):
        """Return the states of several networks from their stacked one."""
        unstacked = [self._backend.unstack(tensor) for tensor in tree.flatten(state)]
        return [tree.pack_sequence_as(state, list(tensors)) for tensors in zip(*unstacked, strict=True)]

    def stack(self, trees):
        """Return trees of tensors as one with a leading axis."""
        return map_structure(lambda *tensors: self._backend.stack(tensors), *trees)

    def logs(self, state):
        """Return loss and metrics."""
        return self.steps.logs(_counted(state))

    def logs_of_all(self, state):
        """Return loss and metrics of each of several networks from their stacked state."""
        counted = _counted(state)
        n_networks = len(counted["loss"])
        return [self.steps.logs(map_structure(partial(_entry, place), counted)) for place in range(n_networks)]

    def finish(self, weights, last, fixed):
        """Return values and optimizer state, from the state that holds the weights and the last one."""
        state = {**weights, "optimizer": last["optimizer"]}
        return self.steps.finish(map_structure(to_array, state), fixed)


def _counted(state):
    """Return loss and metrics of a state as arrays."""
    return {name: map_structure(to_array, state[name]) for name in ("metrics", "loss", "rows")}


def _entry(place, array):
    return array[place]


# --- data -------------------------------------------------------------------------------------------------------------


class Data:
    """The data of a network, on the device where they are small enough."""

    def __init__(self, data, runner, placed):
        self._data = data
        self._place = runner.place
        fits = n_bytes(data) <= _MAX_PLACED[runner.device]
        self._placed = place_once(data, self._place, placed) if fits else None

    def pieces(self, rows, batch_size):
        """Yield data on the device and the indices of the wanted rows in it, in their order."""
        if self._placed is not None:
            yield self._placed, rows
            return
        size = max(1, _PIECE // row_bytes(self._data) // batch_size) * batch_size
        parts = [rows[start : start + size] for start in range(0, len(rows), size)]
        with ThreadPoolExecutor(1) as pool:  # reads the next piece while the network learns from this one
            waiting = pool.submit(gathered, self._data, parts[0])
            for index, part in enumerate(parts):
                data = waiting.result()
                if index + 1 < len(parts):
                    waiting = pool.submit(gathered, self._data, parts[index + 1])
                yield map_structure(self._place, data), np.arange(len(part))


def gathered(data, rows):
    """Return the given rows of a tree of arrays."""
    return map_structure(lambda array: array[rows], data)


def place_once(data, place, placed):
    """Return a tree of arrays on the device; those that are there already are not placed again."""

    def of(array):
        if id(array) not in placed:
            placed[id(array)] = array, place(np.asarray(array))  # the array too, so that its id stays its own
        return placed[id(array)][1]

    return map_structure(of, data)


def n_bytes(data):
    """Return the size of the data of a network in bytes."""
    return sum(array.nbytes for array in _arrays(data))


def distinct_bytes(parts):
    """Return the size of the data of several networks in bytes, of arrays that they share once."""
    return sum({id(array): array.nbytes for data in parts for array in _arrays(data)}.values())


def row_bytes(data):
    """Return the size of a row of the data of a network in bytes, at least 1."""
    return max(1, n_bytes(data) // len(next(iter(data["targets"].values()))))


def _arrays(data):
    return [array for part in data.values() for array in part.values()]
