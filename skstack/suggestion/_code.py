"""Estimators as Python code that makes them, with the imports that it needs."""

from inspect import signature

import numpy as np
from sklearn.model_selection import BaseCrossValidator
from sklearn.pipeline import Pipeline, make_pipeline

from .._doc_links import public_module

_WIDTH = 100


def code_of_parts(parts, name="estimators"):
    """Return code that makes a list of parts.

    Parameters
    ----------
    parts : list of (str, branch or estimator, columns)
    name : str, default="estimators"
        The variable that the list is given to.

    Returns
    -------
    code : str
    """
    imports = set()
    shared, lines = _shared_columns(parts), []
    if shared is not None:
        lines = [f"columns = {_node(shared, imports).laid_out(0)}"]
    nodes = []
    for *named, columns in parts:
        chosen = "columns" if shared is not None and columns == shared else _node(columns, imports)
        nodes.append(_Call("(", [*(("", _node(value, imports)) for value in named), ("", chosen)], ")"))
    body = [f"    {node.laid_out(4)}," for node in nodes]
    return "\n".join([*_import_lines(imports), "", *lines, f"{name} = [", *body, "]"])


def _shared_columns(parts):
    """Return the longest list of columns that several parts have, or None."""
    lists = [columns for *_, columns in parts if isinstance(columns, list)]
    return max((columns for columns in lists if lists.count(columns) > 1), key=len, default=None)


class _Call:
    """Something with brackets, which stands on one line where it fits.

    Parameters
    ----------
    opening, closing : str
    items : list of (str, str or _Call)
        What stands between, each with what stands in front of it.
    """

    def __init__(self, opening, items, closing):
        self.opening, self.items, self.closing = opening, items, closing

    def __str__(self):
        inside = ", ".join(f"{prefix}{item}" for prefix, item in self.items)
        comma = "," if self.opening == "(" and len(self.items) == 1 else ""  # a tuple of one
        return f"{self.opening}{inside}{comma}{self.closing}"

    def laid_out(self, indent):
        """Return the code of something that begins in a line after `indent` blanks."""
        if len(flat := str(self)) + indent <= _WIDTH or not self.items:
            return flat
        if all(isinstance(item, str) and not prefix for prefix, item in self.items):
            return self._filled(indent)
        lines = [
            f"{' ' * (indent + 4)}{prefix}{item if isinstance(item, str) else item.laid_out(indent + 4)},"
            for prefix, item in self.items
        ]
        return "\n".join([self.opening, *lines, " " * indent + self.closing])

    def _filled(self, indent):
        """Return simple values, as many to a line as fit."""
        lines, line = [], ""
        for _, item in self.items:
            if line and indent + 4 + len(line) + len(item) + 2 > _WIDTH:
                lines.append(line.rstrip())
                line = ""
            line += f"{item}, "
        lines.append(line.rstrip())
        return "\n".join([self.opening, *(" " * (indent + 4) + line for line in lines), " " * indent + self.closing])


def _node(value, imports):
    """Return a value as code, and add what has to be imported for it."""
    if isinstance(value, type) or (callable(value) and hasattr(value, "__name__")):
        return _imported(value, imports)
    if hasattr(value, "get_params") or isinstance(value, BaseCrossValidator):
        return _estimator(value, imports)
    if isinstance(value, dict):
        return _Call("{", [(f"{key!r}: ", _node(item, imports)) for key, item in value.items()], "}")
    if isinstance(value, (list, tuple)):
        brackets = ("[", "]") if isinstance(value, list) else ("(", ")")
        return _Call(brackets[0], [("", _node(item, imports)) for item in value], brackets[1])
    if isinstance(value, np.ndarray):
        return _node(value.tolist(), imports)
    if isinstance(value, float) and not np.isfinite(value):
        return f'float("{value}")'
    return repr(value.item() if isinstance(value, np.generic) else value)


def _estimator(estimator, imports):
    if isinstance(estimator, Pipeline) and _has_default_names(estimator):
        imports.add(("sklearn.pipeline", "make_pipeline"))
        return _Call("make_pipeline(", [("", _node(step, imports)) for _, step in estimator.steps], ")")
    parameters = signature(type(estimator)).parameters
    if isinstance(estimator, BaseCrossValidator):
        given = {name: getattr(estimator, name) for name in parameters}
    else:
        given = estimator.get_params(deep=False)
    items, by_position = [], True
    for name, parameter in parameters.items():
        if name not in given or _is_default(given[name], parameter.default):
            by_position = False
            continue
        by_position = (
            by_position and parameter.kind is not parameter.KEYWORD_ONLY and parameter.default is parameter.empty
        )
        items.append(("" if by_position else f"{name}=", _node(given[name], imports)))
    return _Call(f"{_imported(type(estimator), imports)}(", items, ")")


def _is_default(value, default):
    """Tell whether a parameter has its default value, an estimator with the parameters of the default one included."""
    if value is default:
        return True
    return type(value) is type(default) and repr(value) == repr(default)


def _has_default_names(pipeline):
    made = make_pipeline(*(step for _, step in pipeline.steps))
    return [name for name, _ in made.steps] == [name for name, _ in pipeline.steps] and pipeline.memory is None


def _imported(thing, imports):
    """Return the name of a class or function, and add where it is imported from: the package that makes it public."""
    name, module = thing.__name__, getattr(thing, "__module__", None) or type(thing).__module__
    if module == "numpy" or isinstance(thing, np.ufunc):
        imports.add(("numpy", None))
        return f"np.{name}"
    public = public_module(thing) if getattr(thing, "__module__", None) else None
    imports.add((public or module, name))
    return name


def _import_lines(imports):
    modules = {}
    for module, name in sorted(imports, key=str):
        modules.setdefault(module, []).append(name)
    return [
        "import numpy as np" if names == [None] else f"from {module} import {', '.join(names)}"
        for module, names in modules.items()
    ]
