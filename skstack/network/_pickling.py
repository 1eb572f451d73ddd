"""What of a network is pickled."""

from ..training._optimizers import rate_multipliers


class PicklableNetwork:
    """A network that comes back from a pickle as it was, and trains on as it would have."""

    def __getstate__(self):
        state = super().__getstate__().copy()
        # They are made from the parameters for every fit.
        state.pop("_fit_callbacks", None)
        state.pop("_predict_callbacks", None)
        model = self._compiled_call.model if self.initialized_ else None
        if model is not state.get("model_"):
            state.pop("model_", None)  # is made of the others for whoever asks
        # Attributes of variables, which Keras does not keep.
        state["_rate_multipliers"] = [] if model is None else rate_multipliers(model.variables)
        return state

    def __setstate__(self, state):
        multipliers = state.pop("_rate_multipliers", [])
        super().__setstate__(state)
        variables = self._compiled_call.model.variables if multipliers else []
        for variable, multiplier in zip(variables, multipliers, strict=True):
            variable.learning_rate_multiplier = multiplier
