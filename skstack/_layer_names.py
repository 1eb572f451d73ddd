"""Names of Keras layers for parts whose names may hold anything."""

import re
import unicodedata

#: What TensorFlow takes as the name of a scope inside another, less the signs that part names of variables.
_SAFE = re.compile(r"[A-Za-z0-9_.>-]+")


def layer_names(names):
    """Return names of layers for names of parts, which are often those of columns: "zip code", "Fläche".

    A name that can be one stays as it is. In any other, letters lose their accents and what is left becomes "_"; where
    that makes two names alike, a number is added.

    Parameters
    ----------
    names : list of str
        Each one once.

    Returns
    -------
    layer_names : dict of str to str
        By the name of the part.
    """
    found = {name: name for name in names if _SAFE.fullmatch(name)}
    for name in names:
        if name not in found:
            found[name] = _free(_ascii(name), set(found.values()))
    return found


def _ascii(name):
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", letters).strip("_-.") or "branch"


def _free(name, taken):
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate
