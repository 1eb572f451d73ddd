"""Early stopping."""

import numpy as np


class Stopping:
    """Decides when a network has stopped becoming better, as Keras's EarlyStopping with the best weights restored.

    Other than there, a loss that is NaN or infinite is never the best one.

    Parameters
    ----------
    patience : int or None
        Epochs without a better loss before training stops; ``None`` never stops and keeps no state.
    """

    def __init__(self, patience):
        self._patience = patience
        self._lowest = np.inf
        self._waited = 0
        self.best = None
        self.is_over = False

    @property
    def has_best(self):
        """Whether there was an epoch that was the best so far."""
        return np.isfinite(self._lowest)

    def after(self, epoch, loss, state):
        """Take note of the loss after an epoch and keep the state if it is the best so far."""
        if self._patience is None:
            return
        if loss < self._lowest:
            self._lowest, self._waited, self.best = loss, 0, state
            return
        self._waited += 1
        self.is_over = self._waited >= self._patience and epoch > 0
