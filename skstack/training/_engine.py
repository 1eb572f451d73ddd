"""One network in training, and how it runs a compiled program."""

import numpy as np

from .._backend import keras
from ._data import Data
from ._listeners import Listeners, NoListeners
from ._values import to_array

tree = keras.tree
map_structure = tree.map_structure


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
        self._runner = Runner(program, settings)
        self._data = Data(job.data, self._runner, placed)
        self.name = job.name
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
        self.state = self._run("train", rows[0], batch_size)
        return [self._runner.logs(self.state)]

    def evaluate(self, rows, batch_size):
        """Return loss and metrics on the given rows; see :meth:`train`."""
        return [self._runner.logs(self._run("evaluate", rows[0], batch_size))]

    def _run(self, kind, rows, batch_size):
        state = self._runner.reset(self.state)
        for data, indices in self._data.pieces(rows, batch_size):
            state = self._runner.run(kind, state, self._placed_fixed, data, indices, batch_size)
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


class Runner:
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
        self._zero = map_structure(self.place, self.steps.reset({}))

    def reset(self, state):
        """Return a state with loss and metrics set back."""
        return state | self._zero

    def run(self, kind, state, fixed, data, rows, batch_size):
        """Go through rows of placed data in batches."""
        return self._loops.run(kind, state, fixed, self._hyperparameters, data, rows, batch_size)

    def run_vectorized(self, states, fixed, data, offsets, batches):
        """Train several networks in step."""
        state = self._loops.run_vectorized(self.stack(states), fixed, self._hyperparameters, data, offsets, batches)
        unstacked = [self._backend.unstack(tensor) for tensor in tree.flatten(state)]
        return [tree.pack_sequence_as(state, [tensors[index] for tensors in unstacked]) for index in range(len(states))]

    def stack(self, trees):
        """Return trees of tensors as one with a leading axis."""
        return map_structure(lambda *tensors: self._backend.stack(tensors), *trees)

    def logs(self, state):
        """Return loss and metrics."""
        return self.steps.logs({name: map_structure(to_array, state[name]) for name in ("metrics", "loss", "rows")})

    def finish(self, weights, last, fixed):
        """Return values and optimizer state, from the state that holds the weights and the last one."""
        state = {**weights, "optimizer": last["optimizer"]}
        return self.steps.finish(map_structure(to_array, state), fixed)
