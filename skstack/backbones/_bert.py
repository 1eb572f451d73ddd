"""Models of the BERT family, read from the files of a folder as Hugging Face lays them out."""

import json
from hashlib import blake2b
from pathlib import Path

import numpy as np

#: Values of "model_type" in config.json that name a model we can compute.
MODEL_TYPES = ("bert",)

#: Values of "hidden_act" that we know; the layers have the functions.
ACTIVATIONS = ("gelu", "gelu_new", "relu", "silu")

#: How a layer of ours calls what a file calls it; "{}" stands for the number of the layer.
_EMBEDDINGS = {
    "words/embeddings": "embeddings.word_embeddings.weight",
    "places/embeddings": "embeddings.position_embeddings.weight",
    "norm/gamma": "embeddings.LayerNorm.weight",
    "norm/beta": "embeddings.LayerNorm.bias",
}
_PARTS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "attended": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "inner": "intermediate.dense",
    "outer": "output.dense",
    "dense_norm": "output.LayerNorm",
}
_TOKEN_TYPES = "embeddings.token_type_embeddings.weight"


class Bert:
    """A model of the BERT family: what it is made of, and its weights.

    Parameters
    ----------
    config : dict
        Content of config.json.
    weights : dict of str to ndarray
        By the names that the file has for them.
    """

    def __init__(self, config, weights):
        self.config = config
        self.weights = weights

    @property
    def units(self):
        """Length of the vector of a token."""
        return self.config["hidden_size"]

    @property
    def max_length(self):
        """Tokens of a text at most."""
        return self.config["max_position_embeddings"]

    def fingerprint(self):
        """Return bytes that are the same for models that compute the same."""
        digest = blake2b(digest_size=16)
        names = ("hidden_size", "num_attention_heads", "num_hidden_layers", "hidden_act", "layer_norm_eps")
        digest.update(json.dumps([self.config.get(name) for name in names]).encode())
        for name, weight in sorted(self.weights.items()):
            digest.update(f"{name} {weight.shape} {weight.dtype}".encode())
            digest.update(np.ascontiguousarray(weight).data)
        return digest.digest()

    def build(self, adapter_rank=None, dtype=None):
        """Build a Keras model with these weights, from token ids plus 1, of shape (None, length), to their vectors.

        Parameters
        ----------
        adapter_rank : int, default=None
            See :class:`~skstack.backbones._bert_layers.TransformerLayer`.
        dtype : str, default=None
            Of the computation; by default as the policy of Keras says.

        Returns
        -------
        model : keras.Model
            Its layers are called "embeddings", "layer_1", "layer_2", and so on.
        """
        from .._backend import keras
        from ._bert_layers import TokenEmbeddings, TransformerLayer

        config, epsilon = self.config, self.config.get("layer_norm_eps", 1e-12)
        ids = keras.Input((None,), dtype="int32", name="ids")
        embeddings = TokenEmbeddings(
            config["vocab_size"], self.max_length, self.units, epsilon, dtype=dtype, name="embeddings"
        )
        x, settings = embeddings(ids), (config["num_attention_heads"], config["intermediate_size"])
        for index in range(1, config["num_hidden_layers"] + 1):
            layer = TransformerLayer(
                *settings, config["hidden_act"], epsilon, adapter_rank, dtype=dtype, name=f"layer_{index}"
            )
            x = layer([x, ids])
        model = keras.Model(ids, x, name="encoder")
        self._assign(model)
        return model

    def _assign(self, model):
        for path, values in self._values():
            layer, *parts = path.split("/")
            part = model.get_layer(layer)
            for name in parts:
                part = getattr(part, name)
            part.assign(values)

    def _values(self):
        """Yield the path of each variable of the model, and its value."""
        of_types = self.weights[_TOKEN_TYPES][0]  # every token of a single text has the first type
        for path, name in _EMBEDDINGS.items():
            values = self.weights[name]
            if path.startswith("words"):
                values = np.concatenate([np.zeros_like(values[:1]), values])  # padding
            elif path.startswith("places"):
                values = values + of_types
            yield f"embeddings/{path}", values
        for index in range(self.config["num_hidden_layers"]):
            for part, name in _PARTS.items():
                kernel, bias = (self.weights[f"encoder.layer.{index}.{name}.{kind}"] for kind in ("weight", "bias"))
                names = ("gamma", "beta") if part.endswith("norm") else ("kernel", "bias")
                yield f"layer_{index + 1}/{part}/{names[0]}", kernel.T  # no difference to that of a norm
                yield f"layer_{index + 1}/{part}/{names[1]}", bias


def read_bert(folder):
    """Read a model from ``config.json`` and ``model.safetensors``.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    model : Bert

    Raises
    ------
    FileNotFoundError
        If one of the files is not there.
    ValueError
        If they are those of another model.
    ImportError
        Without the package safetensors.
    """
    config = read_json(folder / "config.json")
    _check_config(config, folder)
    weights = _read_weights(folder / "model.safetensors")
    wanted = {_TOKEN_TYPES, *_EMBEDDINGS.values()} | {
        f"encoder.layer.{index}.{name}.{kind}"
        for index in range(config["num_hidden_layers"])
        for name in _PARTS.values()
        for kind in ("weight", "bias")
    }
    absent = sorted(wanted - weights.keys())
    if absent:
        raise ValueError(f"'model.safetensors' in '{folder}' lacks {len(absent)} weights, such as {absent[0]!r}.")
    return Bert(config, {name: weights[name] for name in wanted})


def read_json(path):
    """Return the content of a JSON file.

    Raises
    ------
    FileNotFoundError
        If there is no such file, saying what the folder of an encoder holds.
    ValueError
        If it is no JSON.
    """
    _check_file(path)
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"'{path}' holds no JSON: {error}") from error


def _check_file(path):
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no {path.name!r} in '{path.parent}': the folder of an encoder holds config.json, "
            "model.safetensors and tokenizer.json."
        )


def _check_config(config, folder):
    kind = config.get("model_type")
    if kind not in MODEL_TYPES:
        raise ValueError(
            f"the model in '{folder}' is of model_type {kind!r}; supported is {', '.join(map(repr, MODEL_TYPES))}, as "
            "that of MiniLM, e5, bge and gte. Give its sentence-transformers object to TextEmbedder instead."
        )
    settings = {
        "hidden_act": (config.get("hidden_act"), ACTIVATIONS),
        "position_embedding_type": (config.get("position_embedding_type", "absolute"), ("absolute",)),
    }
    for name, (value, known) in settings.items():
        if value not in known:
            raise ValueError(
                f"the model in '{folder}' has {name}={value!r}; supported is {' or '.join(map(repr, known))}."
            )


def _read_weights(path):
    _check_file(path)
    try:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    except ImportError as error:
        raise ImportError("pretrained encoders need the package safetensors: pip install 'skstack[text]'.") from error
    try:
        weights = load_file(path)
    except (SafetensorError, KeyError) as error:  # KeyError for a dtype that NumPy lacks
        raise ValueError(f"the weights in '{path}' cannot be read: {error}") from error
    return {_plain(name): np.asarray(weight, dtype="float32") for name, weight in weights.items()}


def _plain(name):
    """Return a name as models without a head for words have it today."""
    name = name.removeprefix("bert.")
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
