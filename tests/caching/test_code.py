"""Code of the user's own counts by what it does, that of packages by its version."""

import sys
from types import SimpleNamespace

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from skstack.caching import _code
from skstack.caching._code import running_keras, versions
from skstack.caching._content import digest


def _defined(source, name="thing"):
    """Return what a cell of a notebook defines."""
    scope = {"__name__": "__main__", "Ridge": Ridge, "np": np}
    exec(source, scope)
    return scope[name]


def test_functions_count_by_their_code_defaults_and_closure():
    def scaled_by(factor):
        return lambda x: x * factor

    same = (
        _defined("def thing(x, by=2): return x * by"),
        _defined("def thing(x, by=2):\n    # twice\n    return x * by"),
    )
    assert digest(same[0]) == digest(same[1])
    other = [_defined(f"def thing(x, by={code}") for code in ("3): return x * by", "2): return x + by")]
    assert len({digest(function) for function in (same[0], *other)}) == 3
    assert digest(scaled_by(2)) == digest(scaled_by(2)) != digest(scaled_by(3))
    assert digest(r2_score) != digest(same[0])


def test_classes_count_by_their_methods_and_those_of_bases_of_the_users_own():
    source = "class {}({}):\n    def fit(self, X, y):\n        return super().fit(X, y * {})\n"
    thing, other = (_defined(source.format("thing", "Ridge", factor)) for factor in (1, 2))
    assert digest(thing()) == digest(_defined(source.format("thing", "Ridge", 1))()) != digest(other())
    derived = [
        _defined(source.format("Base", "Ridge", factor) + "class thing(Base):\n    pass\n")() for factor in (1, 2)
    ]
    assert digest(derived[0]) != digest(derived[1])


def test_properties_and_class_methods_are_code():
    source = "class thing:\n    @{}\n    def value(self):\n        return {}\n"
    for kind in ("property", "classmethod", "staticmethod"):
        assert digest(_defined(source.format(kind, 1))) != digest(_defined(source.format(kind, 2)))


def test_classes_of_packages_count_by_version(monkeypatch):
    before = digest(Ridge())
    monkeypatch.setattr(sys.modules["sklearn"], "__version__", "0.0")
    assert digest(Ridge()) != before


def test_versions_of_keras_count_where_keras_computes(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace())
    assert running_keras() is None
    networks = type("Network", (), {"__module__": "skstack.network._regressor"})
    digests = set()
    for backend in ("tensorflow", "jax"):
        keras = SimpleNamespace(__version__="3.0", backend=SimpleNamespace(backend=lambda backend=backend: backend))
        monkeypatch.setitem(sys.modules, "keras", keras)
        assert running_keras().startswith(f"Keras 3.0 on {backend}")
        digests.add(digest(networks))
        digests.add(digest(Ridge))
    assert len(digests) == 3


def test_what_all_results_depend_on():
    assert {"skstack", "scikit-learn", "numpy", "scipy"} == set(versions())
    assert _code.versions()["numpy"] == np.__version__
