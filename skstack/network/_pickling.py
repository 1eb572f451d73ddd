"""What of a network is pickled."""

from ..training._optimizers import rate_multipliers


class PicklableNetwork:
    """A network that comes back from a pickle as it was, and trains on as it would have."""

    def __getstate__(self):
        state = super().__getstate__().copy()
        # They are made from the parameters for every fit.
        state.pop("_fit_callbacks", None)
        state.pop("_predict_callbacks", None)
        # Attributes of variables, which Keras does not keep.
        state["_rate_multipliers"] = rate_multipliers(self.model_.variables) if hasattr(self, "model_") else []
        return state

    def __setstate__(self, state):
        multipliers = state.pop("_rate_multipliers", [])
        super().__setstate__(state)
        for variable, multiplier in zip(self.model_.variables if multipliers else [], multipliers, strict=True):
            variable.learning_rate_multiplier = multiplier
