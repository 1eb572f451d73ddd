"""Names of the layers of a network: those of the branches, whose names may hold anything, and our own."""

import re
import unicodedata

from ..training._values import free_name

#: What TensorFlow takes as the name of an outermost scope, as that of a branch that is asked by itself, less the signs
#: that part names of variables.
_SAFE = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.>-]*")


class LayerNames:
    """Names of layers, each of which occurs once.

    The input of a branch is called like the branch. Our own layers yield: one whose name is taken gets a number.

    Parameters
    ----------
    branches : list of str
        Names of the branches.
    """

    def __init__(self, branches):
        self._inputs = layer_names(branches)
        self._owners = {name: name for name in self._inputs.values()}

    def input(self, branch):
        """Return the name of the input of a branch."""
        return self._inputs[branch]

    def missing(self, branch):
        """Return the name of the input that says where rows of a branch are missing; no branch can be called so."""
        return f"{self._inputs[branch]}__missing"

    def of_branch(self, branch, what):
        """Return the name of a layer that belongs to a branch, such as its sub-network, "branch"."""
        return self.own(f"{self._inputs[branch]}_{what}")

    def own(self, wanted):
        """Return the name of a layer of ours: the one that is wanted, or the first free one like it."""
        return self._first_free(wanted, f"own {wanted}")

    def output(self, task):
        """Return the name of the output of a task, which may be called like another layer of ours."""
        return self._first_free(task, f"output {task}")

    def _first_free(self, wanted, owner):
        name, index = wanted, 2
        while self._owners.setdefault(name, owner) != owner:
            name, index = f"{wanted}_{index}", index + 1
        return name


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
            found[name] = free_name(_ascii(name), set(found.values()))
    return found


def _ascii(name):
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.-]+", "_", letters).strip("_-.") or "branch"
