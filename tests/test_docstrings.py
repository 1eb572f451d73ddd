"""Documented parameters are the signature's, with the signature's defaults; public names are in order."""

import ast
import importlib
import inspect
import re

import numpy as np
import pytest
from numpydoc.docscrape import FunctionDoc

import skstack

PUBLIC_MODULES = [
    "skstack",
    *(f"skstack.{name}" for name in skstack.__all__ if inspect.ismodule(getattr(skstack, name))),
]
MISSING = inspect.Parameter.empty


def _public_objects():
    """Yield the dotted name and the object of every public class, function and documented method."""
    for module_name in PUBLIC_MODULES:
        module = importlib.import_module(module_name)
        for name in module.__all__:
            thing = getattr(module, name)
            # An abstract class describes parameters that its subclasses take.
            if not inspect.ismodule(thing) and not inspect.isabstract(thing):
                yield f"{module_name}.{name}", thing
            if inspect.isclass(thing):
                yield from _documented_methods(f"{module_name}.{name}", thing)


def _documented_methods(class_name, cls):
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        ours = method.__module__.startswith("skstack.")
        if ours and not name.startswith("_") and "Parameters\n" in (method.__doc__ or ""):
            yield f"{class_name}.{name}", method


OBJECTS = dict(_public_objects())


def _documented_default(kind):
    """Return the text behind ``default=`` in the type of a documented parameter, or None."""
    if kind == "None":  # A parameter that is there for scikit-learn's sake, such as the y of a transformer.
        return kind
    match = re.search(r"\bdefault(?:=|: ?| )(.+)$", kind)
    return match and match.group(1).strip("` ")


def _is_same(text, default):
    if text == "np.nan":  # which is the same as nothing, itself included
        return default is np.nan
    try:
        return ast.literal_eval(text) == default
    except (SyntaxError, ValueError):
        return text == repr(default)


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_public_names_are_in_alphabetical_order_and_exist(name):
    module = importlib.import_module(name)
    assert list(module.__all__) == sorted(module.__all__)
    assert all(hasattr(module, public) for public in module.__all__)


@pytest.mark.parametrize("name", OBJECTS)
def test_documented_parameters_and_defaults_are_those_of_the_signature(name):
    thing = OBJECTS[name]
    signature = inspect.signature(thing).parameters.values()
    expected = {p.name: p.default for p in signature if p.name != "self" and p.kind is not p.VAR_KEYWORD}
    documented = {}
    for entry in FunctionDoc(thing, doc=inspect.getdoc(thing) or "")["Parameters"]:
        if not entry.name.startswith("*"):
            documented.update(dict.fromkeys(re.split(r",\s*", entry.name), entry.type))
    assert list(documented) == list(expected), "documented parameters, then those of the signature"
    for parameter, default in expected.items():
        text = _documented_default(documented[parameter])
        if default is MISSING:
            assert text is None, f"{parameter} has no default, documented is {text}"
        else:
            assert text is not None, f"{parameter}: the default {default!r} is not documented"
            assert _is_same(text, default), f"{parameter}: documented default {text}, in the signature {default!r}"


@pytest.mark.parametrize("name", [name for name, thing in OBJECTS.items() if name.split(".")[-2].islower()])
def test_public_classes_and_functions_have_a_runnable_example(name):
    assert ">>>" in (inspect.getdoc(OBJECTS[name]) or "")
