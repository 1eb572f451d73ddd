"""Several networks in training, in one vectorised program."""

import numpy as np

from .._backend import keras
from ._batches import in_step
from ._data import Data
from ._engine import Runner
from ._listeners import NoListeners

map_structure = keras.tree.map_structure


class VectorizedEngine:
    """Several networks in training, in one vectorised program.

    Parameters
    ----------
    program : Program
    settings : dict
        Holds the optimizer.
    jobs : list of Job
    """

    def __init__(self, program, settings, jobs):
        self._runner = Runner(program, settings)
        place = self._runner.place
        self._fixed = [program.steps.fixed(job.values) for job in jobs]
        self._placed_fixed = [map_structure(place, values) for values in self._fixed]
        self._stacked_fixed = self._runner.stack(self._placed_fixed)
        self._states = [
            map_structure(place, program.steps.start(job.values, job.optimizer_state, settings)) for job in jobs
        ]
        joined = map_structure(lambda *arrays: _Joined(arrays), *[job.data for job in jobs])
        self._data = map_structure(lambda part: place(part.array), joined)
        self._offsets = map_structure(lambda part: place(part.offsets), joined)
        placed = {}
        self._own_data = [Data(job.data, self._runner, placed) for job in jobs]
        self._stopping_data = [Data(job.stopping_data, self._runner, placed) for job in jobs]

    def train(self, rows, batch_size):
        """Go once through the given rows of each network in their order; return loss and metrics of each."""
        runner = self._runner
        states = [runner.reset(state) for state in self._states]
        batches, left = in_step(rows, batch_size)
        if len(batches):
            states = runner.run_vectorized(states, self._stacked_fixed, self._data, self._offsets, batches)
        self._states = self._each("train", states, self._own_data, left, batch_size)
        return list(map(runner.logs, self._states))

    def evaluate(self, rows, batch_size):
        """Return loss and metrics of each network on the given rows."""
        states = [self._runner.reset(state) for state in self._states]
        return list(map(self._runner.logs, self._each("evaluate", states, self._stopping_data, rows, batch_size)))

    def _each(self, kind, states, data, rows, batch_size):
        after = []
        for state, fixed, of_network, indices in zip(states, self._placed_fixed, data, rows, strict=True):
            for placed, chosen in of_network.pieces(indices, batch_size) if len(indices) else ():
                state = self._runner.run(kind, state, fixed, placed, chosen, batch_size)
            after.append(state)
        return after

    def listen(self, schedule):
        """Return what tells callbacks about the epochs: there are none."""
        return NoListeners()

    def state_of(self, index):
        """Return the present state of a network."""
        return self._states[index]

    def finish(self, index, best, last):
        """See Engine."""
        return self._runner.finish(best or last, last, self._fixed[index])


class _Joined:
    """The arrays of several networks as one, each distinct array once, and where the rows of each network begin."""

    def __init__(self, arrays):
        distinct = {id(array): array for array in arrays}
        begins = dict(zip(distinct, np.cumsum([0, *map(len, distinct.values())])[:-1], strict=True))
        parts = [np.asarray(array) for array in distinct.values()]
        self.array = parts[0] if len(parts) == 1 else np.concatenate(parts)
        self.offsets = np.array([begins[id(array)] for array in arrays], dtype="int32")
