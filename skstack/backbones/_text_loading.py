"""Loading encoders of texts: from a folder, the Hugging Face hub, or a package that carries one."""

import os
import threading
from functools import lru_cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

from .._suggestions import did_you_mean
from ..caching._lru import LRU
from ..reading._files import file_key
from ._bert import read_bert, read_json
from ._static_vectors import StaticVectors
from ._text_encoder import POOLINGS, TextEncoder

#: What stands in front of the name of a model of the hub.
HUB = "hf:"

#: The package of static vectors, and where they lie in it.
WORDLLAMA = "wordllama"
_WORDLLAMA_FILES = ("weights/l2_supercat_256.safetensors", "tokenizers/l2_supercat_tokenizer_config.json")

#: The files of a model, in its folder and on the hub.
_FILES = ("config.json", "model.safetensors", "tokenizer.json")
_MORE_FILES = ("modules.json", "sentence_bert_config.json", "1_Pooling/config.json")

#: Names of the hub whose folders are remembered, so that folds do not ask the hub again.
_N_REMEMBERED = 16

#: The encoders used last: those of all branches, embedders and folds that ask for the same one.
_loaded = LRU(2)
_loading = threading.RLock()


def check_encoder(name, others=()):
    """Raise unless something that a parameter says can be the name of a pretrained encoder.

    Parameters
    ----------
    name : str or path-like
    others : tuple of str, default=()
        What the parameter may say besides.

    Raises
    ------
    ValueError
        If it is neither "wordllama", the name of a model of the hub nor a folder.
    """
    if name != WORDLLAMA and not os.fspath(name).startswith(HUB) and not os.path.isdir(name):
        known = (*others, WORDLLAMA)
        raise ValueError(
            f"there is no encoder {os.fspath(name)!r}.{did_you_mean(name, known)} Known are "
            f"{', '.join(map(repr, known))}, folders of pretrained models and those of the Hugging Face hub as "
            "'hf:owner/name', such as 'hf:sentence-transformers/all-MiniLM-L6-v2'."
        )


def load_text_encoder(name, fingerprint=None):
    """Return a pretrained encoder; the same object as long as it is in use.

    Parameters
    ----------
    name : str or path-like
        "wordllama", a folder, or a model of the hub as "hf:owner/name", perhaps with "@" and a revision behind it.
    fingerprint : bytes, default=None
        That of the encoder that a branch was fitted with.

    Returns
    -------
    encoder : TextEncoder or StaticVectors

    Raises
    ------
    ValueError, FileNotFoundError, OSError
        If there is no such encoder, or one that we cannot compute, or another one than a branch was fitted with.
    ImportError
        Without the package that it needs.
    """
    check_encoder(name)
    with _loading:  # nothing is loaded twice
        encoder = _load(name)
    if fingerprint not in (None, encoder.fingerprint):
        raise ValueError(f"the encoder {str(name)!r} is another one than when the branch was fitted; fit again.")
    return encoder


def _load(name):
    if name == WORDLLAMA:
        return _loaded.get(WORDLLAMA, _wordllama)
    folder = _from_hub(name) if str(name).startswith(HUB) else Path(name)
    key = (os.path.abspath(folder), *(_file_state(folder / file) for file in (*_FILES, *_MORE_FILES)))
    return _loaded.get(key, lambda: _from_folder(folder))


def _file_state(path):
    """Return what changes with the content of a file; None where there is none."""
    return (file_key(str(path)) or blake2b(path.read_bytes(), digest_size=16).digest()) if path.is_file() else None


def _from_folder(folder):
    model = read_bert(folder)
    pooling, normalize = _modules(folder)
    path = folder / "sentence_bert_config.json"
    max_length = read_json(path).get("max_seq_length") if path.is_file() else None
    return TextEncoder(_tokenizer(folder / "tokenizer.json"), model, pooling, normalize, max_length or model.max_length)


def _tokenizer(path):
    read_json(path)  # says what is wrong with it
    return path.read_text(encoding="utf-8")


def _modules(folder):
    """Return how a folder of sentence-transformers says that vectors of tokens become one."""
    if not (folder / "modules.json").is_file():
        return "mean", False
    modules = {module["type"].rpartition(".")[2]: module for module in read_json(folder / "modules.json")}
    unknown = sorted(modules.keys() - {"Transformer", "Pooling", "Normalize"})
    if unknown:
        raise ValueError(
            f"the model in '{folder}' has a module {unknown[0]!r}; supported are Transformer, Pooling and Normalize. "
            "Give its sentence-transformers object to TextEmbedder instead."
        )
    pooling = _pooling(folder / modules["Pooling"]["path"] / "config.json") if "Pooling" in modules else "mean"
    return pooling, "Normalize" in modules


def _pooling(path):
    config = read_json(path)
    modes = [name for name, value in config.items() if name.startswith("pooling_mode_") and value is True]
    names = [mode.removeprefix("pooling_mode_").removesuffix("_token").removesuffix("_tokens") for mode in modes]
    names = names or [config.get("pooling_mode", "mean")]
    if len(names) != 1 or names[0] not in POOLINGS:
        raise ValueError(f"'{path}' asks for pooling by {' and '.join(names)}; supported is {' or '.join(POOLINGS)}.")
    return names[0]


@lru_cache(maxsize=_N_REMEMBERED)
def _from_hub(name):
    """Return the folder of a model of the hub, which is fetched when it is first used."""
    repository, _, revision = name.removeprefix(HUB).partition("@")
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise ImportError(
            f"the model {name!r} needs the package huggingface_hub: pip install 'skstack[text]'; or give the folder "
            "of a model."
        ) from error
    try:
        return Path(snapshot_download(repository, revision=revision or None, allow_patterns=[*_FILES, *_MORE_FILES]))
    except Exception as error:  # the hub has many ways to fail: no network, no such model, a malformed name
        raise OSError(
            f"the model {name!r} could not be loaded from the Hugging Face hub: {error} Without a way to the internet, "
            "give the path of a folder with config.json, model.safetensors and tokenizer.json."
        ) from error


def _wordllama():
    """Return the vectors that the package wordllama carries, without importing it and what it depends on."""
    package = find_spec(WORDLLAMA)
    if package is None:
        raise ImportError("the encoder 'wordllama' needs the package of that name: pip install 'skstack[text]'.")
    from safetensors.numpy import load_file

    folder = Path(package.origin).parent
    weights, tokenizer = (folder / file for file in _WORDLLAMA_FILES)
    (vectors,) = load_file(weights).values()
    return StaticVectors(_tokenizer(tokenizer), vectors.astype("float32"))
