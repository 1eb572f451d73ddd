"""Networks in training: one, or several at a time."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .._backend import keras
from ._batches import in_step
from ._nests import map_nest, map_nests

#: Bytes of encoded rows that are handed to the device as a whole: to the processor, where that is a second copy of them
#: in memory, and to an accelerator, which waits for what it is handed. Larger data come in pieces, each epoch anew.
_MAX_PLACED = {"processor": 2**27, "accelerator": 2**31}

#: Bytes of such a piece, of which two are there at a time.
_PIECE = 2**25


class Engine:
    """One network in training.

    Parameters
    ----------
    program : Program
    settings : dict
        Holds the optimizer.
    task : Task
    placed : dict
        Tensors of the arrays that are on the device already, which tasks share; they are kept as long as this.
    """

    def __init__(self, program, settings, task, placed):
        self._runner = _Runner(program, settings)
        self._data = _Data(task.data, self._runner, placed)
        self._fixed = task.values.fixed
        self._placed_fixed = map_nest(self._runner.place, self._fixed)
        self.state = map_nest(self._runner.place, program.steps.start(task.values, task.optimizer_state, settings))

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
        self.state = self._run("train", rows[0], batch_size)
        return [self._runner.logs(self.state)]

    def evaluate(self, rows, batch_size):
        """Return loss and metrics on the given rows; see :meth:`train`."""
        return [self._runner.logs(self._run("evaluate", rows[0], batch_size))]

    def _run(self, kind, rows, batch_size):
        state = self._runner.reset(self.state)
        for data, numbers in self._data.pieces(rows, batch_size):
            state = self._runner.run(kind, state, self._placed_fixed, data, numbers, batch_size)
        return state

    def listen(self, schedule):
        """Return what tells callbacks about the epochs."""
        return Listeners(self, self._runner, schedule) if schedule.callbacks else NoListeners()

    def state_of(self, number):
        """Return the present state of a network."""
        return self.state

    def finish(self, number, best, last):
        """Return values and optimizer state of a network that stopped in the state `last`, with the weights of `best`.

        Without validation rows there is no `best`, and it is None.
        """
        return self._runner.finish(best or last, last, self._fixed)


class Together:
    """Several networks in training, in one vectorised program.

    Parameters
    ----------
    program : Program
    settings : dict
        Holds the optimizer.
    tasks : list of Task
    """

    def __init__(self, program, settings, tasks):
        self._runner = _Runner(program, settings)
        place = self._runner.place
        self._fixed = [task.values.fixed for task in tasks]
        self._placed_fixed = [map_nest(place, values) for values in self._fixed]
        self._stacked_fixed = self._runner.stack(self._placed_fixed)
        self._states = [
            map_nest(place, program.steps.start(task.values, task.optimizer_state, settings)) for task in tasks
        ]
        joined = map_nests(lambda *arrays: _Joined(arrays), *[task.data for task in tasks])
        self._data = map_nest(lambda part: place(part.array), joined)
        self._offsets = map_nest(lambda part: place(part.offsets), joined)
        placed = {}
        self._own_data = [_Data(task.data, self._runner, placed) for task in tasks]

    def train(self, rows, batch_size):
        """Go once through the given rows of each network in their order; return loss and metrics of each."""
        runner = self._runner
        states = [runner.reset(state) for state in self._states]
        batches, left = in_step(rows, batch_size)
        if len(batches):
            states = runner.run_together(states, self._stacked_fixed, self._data, self._offsets, batches)
        self._states = self._each("train", states, left, batch_size)
        return list(map(runner.logs, self._states))

    def evaluate(self, rows, batch_size):
        """Return loss and metrics of each network on the given rows."""
        states = [self._runner.reset(state) for state in self._states]
        return list(map(self._runner.logs, self._each("evaluate", states, rows, batch_size)))

    def _each(self, kind, states, rows, batch_size):
        after = []
        for state, fixed, data, numbers in zip(states, self._placed_fixed, self._own_data, rows, strict=True):
            for placed, chosen in data.pieces(numbers, batch_size) if len(numbers) else ():
                state = self._runner.run(kind, state, fixed, placed, chosen, batch_size)
            after.append(state)
        return after

    def listen(self, schedule):
        """Return what tells callbacks about the epochs: there are none."""
        return NoListeners()

    def state_of(self, number):
        """Return the present state of a network."""
        return self._states[number]

    def finish(self, number, best, last):
        """See Engine."""
        return self._runner.finish(best or last, last, self._fixed[number])


class _Runner:
    """A program with the values of its hyperparameters."""

    def __init__(self, program, settings):
        self._loops = program.loops
        self._backend = program.backend
        self.steps = program.steps
        self.model = program.model
        self.place = program.backend.place
        self.device = program.device
        optimizer = keras.optimizers.get(settings["optimizer"])
        self._hyperparameters = {
            name: self.place(np.float32(getattr(optimizer, name))) for name in self.steps.hyperparameters
        }
        self._zero = map_nest(self.place, self.steps.reset({}))

    def reset(self, state):
        """Return a state with loss and metrics set back."""
        return state | self._zero

    def run(self, kind, state, fixed, data, rows, batch_size):
        """Go through rows of placed data in batches."""
        return self._loops.run(kind, state, fixed, self._hyperparameters, data, rows, batch_size)

    def run_together(self, states, fixed, data, offsets, batches):
        """Train several networks in step."""
        state = self._loops.run_together(self.stack(states), fixed, self._hyperparameters, data, offsets, batches)
        parts = map_nest(self._backend.unstack, state)
        return [_chosen(parts, number) for number in range(len(states))]

    def stack(self, nests):
        """Return nests of tensors as one with a leading axis."""
        return map_nests(lambda *tensors: self._backend.stack(tensors), *nests)

    def logs(self, state):
        """Return loss and metrics."""
        return self.steps.logs({name: map_nest(to_array, state[name]) for name in ("metrics", "loss", "rows")})

    def finish(self, weights, last, fixed):
        """Return values and optimizer state, from the state that holds the weights and the last one."""
        state = {**weights, "optimizer": last["optimizer"]}
        return self.steps.finish(map_nest(to_array, state), fixed)


class _Data:
    """The data of a network, on the device where they are small enough."""

    def __init__(self, data, runner, placed):
        self._data = data
        self._place = runner.place
        fits = n_bytes(data) <= _MAX_PLACED[runner.device]
        self._placed = place_once(data, self._place, placed) if fits else None

    def pieces(self, rows, batch_size):
        """Yield data on the device and the numbers of the wanted rows in it, in their order."""
        if self._placed is not None:
            yield self._placed, rows
            return
        size = max(1, _PIECE // row_bytes(self._data) // batch_size) * batch_size
        parts = [rows[start : start + size] for start in range(0, len(rows), size)]
        with ThreadPoolExecutor(1) as pool:  # reads the next piece while the network learns from this one
            waiting = pool.submit(gathered, self._data, parts[0])
            for number, part in enumerate(parts):
                data = waiting.result()
                if number + 1 < len(parts):
                    waiting = pool.submit(gathered, self._data, parts[number + 1])
                yield map_nest(self._place, data), np.arange(len(part))


def _chosen(parts, number):
    """Return a nest of the numbered items of a nest whose leaves are lists of tensors."""
    return {
        name: [tensors[number] for tensors in part] if name not in ("loss", "rows") else part[number]
        for name, part in parts.items()
    }


class _Joined:
    """The arrays of several networks as one, each distinct array once, and where the rows of each network begin."""

    def __init__(self, arrays):
        distinct = {id(array): array for array in arrays}
        begins = dict(zip(distinct, np.cumsum([0, *map(len, distinct.values())])[:-1], strict=True))
        parts = [np.asarray(array) for array in distinct.values()]
        self.array = parts[0] if len(parts) == 1 else np.concatenate(parts)
        self.offsets = np.array([begins[id(array)] for array in arrays], dtype="int32")


class Listeners:
    """Keras callbacks that are told about epochs, with the model in the state of the training."""

    def __init__(self, engine, runner, schedule):
        self._engine = engine
        self._steps, self._place = runner.steps, runner.place
        self._model = runner.model
        # Callbacks keep the model they watch; those of the caller stay as he made them.
        self._history = keras.callbacks.History()
        self._callbacks = keras.callbacks.CallbackList(
            [*copy.deepcopy(schedule.callbacks), self._history],
            add_history=False,
            model=runner.model,
            epochs=schedule.epochs,
            verbose=0,
        )
        self._model.stop_training = False
        with _Synced(self):
            self._callbacks.on_train_begin()

    def begin_epoch(self, epoch):
        """Tell that an epoch begins."""
        with _Synced(self):
            self._callbacks.on_epoch_begin(epoch)

    def end_epoch(self, epoch, logs):
        """Tell that an epoch is over; return whether a callback wants to stop."""
        with _Synced(self):
            of_validation = {name[4:]: value for name, value in logs.items() if name.startswith("val_")}
            if of_validation:
                self._callbacks.on_test_begin()
                self._callbacks.on_test_end(of_validation)
            self._callbacks.on_epoch_end(epoch, logs)
        logs |= {name: values[-1] for name, values in self._history.history.items()}  # with what callbacks added
        return self._model.stop_training

    def end(self):
        """Tell that training is over."""
        with _Synced(self):
            self._callbacks.on_train_end()


class _Synced:
    """Gives the model the state of the training for a block, and the training what the block changed."""

    def __init__(self, listeners):
        self._engine, self._steps, self._place = listeners._engine, listeners._steps, listeners._place

    def __enter__(self):
        self._steps.write(map_nest(to_array, self._engine.state))

    def __exit__(self, kind, *error):
        if kind is None:
            self._engine.state = map_nest(self._place, self._steps.read(map_nest(to_array, self._engine.state)))


class NoListeners:
    """Nobody to be told."""

    def begin_epoch(self, epoch):
        """Tell nobody."""

    def end_epoch(self, epoch, logs):
        """Tell nobody."""
        return False

    def end(self):
        """Tell nobody."""


def gathered(data, rows):
    """Return the given rows of nested arrays."""
    return map_nest(lambda array: array[rows], data)


def place_once(data, place, placed):
    """Return nested arrays on the device; those that are there already are not placed again."""

    def of(array):
        if id(array) not in placed:
            placed[id(array)] = array, place(np.asarray(array))  # the array too, so that its number stays its own
        return placed[id(array)][1]

    return map_nest(of, data)


def n_bytes(data):
    """Return the size of the data of a task in bytes."""
    return sum(array.nbytes for array in _arrays(data))


def row_bytes(data):
    """Return the size of a row of the data of a task in bytes, at least 1."""
    return max(1, n_bytes(data) // len(data["target"]))


def to_array(tensor):
    """Return a tensor as an array."""
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def _arrays(data):
    return [*data["inputs"].values(), *(data[name] for name in ("target", "weight") if name in data)]
