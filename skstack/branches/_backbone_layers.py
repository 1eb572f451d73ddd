"""Keras layer that holds something pretrained inside a network."""

from .._backend import keras
from .._layers import Layer
from ..backbones._bert_layers import LowRankAdapter
from ..training._trainable import set_learning_rate_multiplier


@keras.saving.register_keras_serializable("skstack")
class TrainedFurther(Layer):
    """A backbone inside a network, of which training changes some layers, more slowly than the rest of the network.

    Parameters
    ----------
    model : keras.Model
        With the layers that stay as they are set to be not trainable.
    learning_rate : float, default=1.0
        Factor of the learning rate for its weights: their attribute ``learning_rate_multiplier``. Adapters learn as
        fast as the rest of the network.
    pretrained : bool, default=True
        Whether batch normalisation keeps its averages and dropout is off, as is right for a model that has learned
        before.
    """

    def __init__(self, model, learning_rate=1.0, pretrained=True, **kwargs):
        super().__init__(**kwargs)
        self.model = model
        self.learning_rate = learning_rate
        self.pretrained = pretrained
        # Here rather than where the branch is assembled: a model that is loaded from a file has to learn as slowly.
        set_learning_rate_multiplier(model, learning_rate)
        for layer in model._flatten_layers():
            if isinstance(layer, LowRankAdapter):  # it begins at nothing, and has nothing to lose
                set_learning_rate_multiplier(layer, 1.0)
        self.built = True

    @property
    def constants(self):
        """Variables that training does not change."""
        return self.model.non_trainable_variables if self.pretrained else []

    def call(self, inputs, training=False):
        return self.model(inputs, training=False if self.pretrained else training)

    def compute_output_spec(self, inputs, training=False):
        return self.model.compute_output_spec(inputs)

    def get_config(self):
        model = keras.saving.serialize_keras_object(self.model)
        settings = {"model": model, "learning_rate": self.learning_rate, "pretrained": self.pretrained}
        return {**super().get_config(), **settings}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "model": keras.saving.deserialize_keras_object(config["model"])})
