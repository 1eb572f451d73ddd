"""A tiny model of the BERT family in a folder, and what it computes, written down from the paper with NumPy alone."""

import json
from math import erf

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from skstack.backbones import _text_loading
from skstack.caching import _features
from skstack.caching._lru import LRU

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "red",
    "hat",
    "coat",
    "old",
    "##er",
    "fits",
    "good",
    "bad",
    "!",
    "query",
    ":",
]
CONFIG = {
    "model_type": "bert",
    "hidden_size": 8,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "intermediate_size": 12,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 32,
    "type_vocab_size": 2,
    "vocab_size": len(WORDS),
}
TEXTS = ["red hat", "old older coat!", "good", "fits bad unknown red red red red red red red hat"]


def write_folder(folder, seed=0, config=None, prefix="", pooling=None, dtype="float32", **files):
    """Write a folder of a model with random weights, and return it.

    Parameters
    ----------
    folder : Path
    seed : int, default=0
    config : dict, default=None
        Entries of config.json that differ from those of `CONFIG`.
    prefix : str, default=""
        In front of the names of weights.
    pooling : dict, default=None
        Content of 1_Pooling/config.json; None for a folder without what sentence-transformers adds.
    **files : dict of str to object
        Other files, by their names without ``.json``, and their contents.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = {**CONFIG, **(config or {})}
    weights = {f"{prefix}{name}": value.astype(dtype) for name, value in random_weights(seed, config).items()}
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text(tokenizer().to_str())
    if pooling is not None:
        kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
        files["modules"] = [{"path": path, "type": f"sentence_transformers.models.{kind}"} for path, kind in kinds]
        (folder / "1_Pooling").mkdir(exist_ok=True)
        (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def tokenizer():
    """Return a tokenizer like BERT's, which fills up and cuts as files of the hub do."""
    made = Tokenizer(models.WordPiece({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", WORDS.index("[CLS]")), ("[SEP]", WORDS.index("[SEP]"))]
    )
    made.enable_padding(length=16)
    made.enable_truncation(16)
    return made


def random_weights(seed, config):
    """Return weights by the names that the hub has for them."""
    rng, units, inner = np.random.default_rng(seed), config["hidden_size"], config["intermediate_size"]

    def drawn(*shape):
        return rng.normal(scale=0.5, size=shape)

    def norm(name):
        return {f"{name}.weight": 1 + drawn(units), f"{name}.bias": drawn(units)}

    weights = {
        "embeddings.word_embeddings.weight": drawn(config["vocab_size"], units),
        "embeddings.position_embeddings.weight": drawn(config["max_position_embeddings"], units),
        "embeddings.token_type_embeddings.weight": drawn(2, units),
        "pooler.dense.weight": drawn(units, units),  # which nobody wants
        **norm("embeddings.LayerNorm"),
    }
    sizes = {"intermediate.dense": (inner, units), "output.dense": (units, inner)}
    sizes |= {f"attention.self.{part}": (units, units) for part in ("query", "key", "value")}
    sizes |= {"attention.output.dense": (units, units)}
    for index in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{index}"
        for name, shape in sizes.items():
            weights |= {f"{layer}.{name}.weight": drawn(*shape), f"{layer}.{name}.bias": drawn(shape[0])}
        weights |= norm(f"{layer}.attention.output.LayerNorm") | norm(f"{layer}.output.LayerNorm")
    return weights


def hidden_states(ids, weights, config=None):
    """Return the vectors of the tokens of one text, in double precision.

    Parameters
    ----------
    ids : list of int
        As the tokenizer gives them.
    weights : dict of str to ndarray
        By the names that the hub has for them.
    config : dict, default=None
        `CONFIG` by default.
    """
    config = config or CONFIG
    n_heads, size = config["num_attention_heads"], config["hidden_size"] // config["num_attention_heads"]
    activation = {"gelu": lambda x: x * 0.5 * (1 + np.vectorize(erf)(x / np.sqrt(2))), "relu": lambda x: x * (x > 0)}

    def dense(x, name):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(x, name):
        centred = x - x.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + config["layer_norm_eps"])
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    x = weights["embeddings.word_embeddings.weight"][ids] + weights["embeddings.token_type_embeddings.weight"][0]
    x = norm(x + weights["embeddings.position_embeddings.weight"][: len(ids)], "embeddings.LayerNorm")
    for index in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{index}"
        query, key, value = (dense(x, f"{layer}.attention.self.{part}") for part in ("query", "key", "value"))
        mixed = []
        for head in range(n_heads):
            part = slice(head * size, (head + 1) * size)
            scores = np.exp(query[:, part] @ key[:, part].T / np.sqrt(size))
            mixed.append(scores / scores.sum(axis=1, keepdims=True) @ value[:, part])
        attended = dense(np.concatenate(mixed, axis=1), f"{layer}.attention.output.dense")
        x = norm(x + attended, f"{layer}.attention.output.LayerNorm")
        inner = activation[config["hidden_act"]](dense(x, f"{layer}.intermediate.dense"))
        x = norm(x + dense(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    return x


def expected_features(texts=TEXTS, seed=0, pooling="mean", normalize=False, max_length=32):
    """Return the features that a folder written with a seed gives for texts."""
    read, features = tokenizer(), []
    read.no_padding()
    read.enable_truncation(max_length)
    for text in texts:
        states = hidden_states(read.encode(text).ids, random_weights(seed, CONFIG))
        vector = states[0] if pooling == "cls" else states.mean(axis=0)
        features.append(vector / np.linalg.norm(vector) if normalize else vector)
    return np.array(features)


@pytest.fixture
def encoder_folder(tmp_path, monkeypatch):
    """A folder of a tiny model, an empty cache of features, and no model loaded."""
    monkeypatch.setenv("SKSTACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(_features, "_memory", LRU(2**20, size_of=len))
    _text_loading._loaded.clear()
    return write_folder(tmp_path / "tiny")
