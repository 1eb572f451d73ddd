"""What holds for the package as a whole: cheap imports, layers, declared dependencies, public names."""

import ast
import re
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import skstack

ROOT = Path(__file__).parents[1]
PACKAGE = Path(skstack.__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# Modules that may load these at import time, by the start of their name; everyone else imports them inside functions.
HEAVY = {
    "keras": ("skstack._backend",),
    "scikeras": ("skstack._scikeras",),
    "tensorflow": ("skstack.training.",),
    "jax": ("skstack.training.",),
    "skstack._backend": (
        "skstack._folds",
        "skstack._losses",
        "skstack._network",
        "skstack._network_base",
        "skstack._scikeras",
        "skstack.branches._layers",
        *(f"skstack.branches._{kind}_layers" for kind in ("audio", "entity", "image", "numeric", "sequence", "text")),
        "skstack.preprocessing._scaling",
        "skstack.training.",
    ),
}

KERAS = ("keras", "tensorflow", "jax", "scikeras")

# What a room never imports, inside functions neither.
FORBIDDEN = {
    "skstack._stacking": (*KERAS, "skstack._backend"),
    "skstack._crossfit": (*KERAS, "skstack._backend", "skstack._stacking", "skstack._network"),
    "skstack._network": ("scikeras", "skstack._stacking", "skstack._crossfit"),
    "skstack._scikeras": ("skstack._stacking", "skstack._crossfit", "skstack._network", "skstack.branches"),
    "skstack._columns": (*KERAS, "skstack._backend"),
    "skstack._parts": (*KERAS, "skstack._backend"),
    "skstack.branches": ("scikeras", "skstack._scikeras", "skstack._network", "skstack._stacking", "skstack._crossfit"),
    "skstack.datasets": (*KERAS, "skstack._backend", "skstack._stacking", "skstack.branches"),
    "skstack.preprocessing": ("scikeras", "skstack._network", "skstack._stacking", "skstack.branches"),
    "skstack.training": ("scikeras", "skstack._scikeras", "skstack._network", "skstack._stacking", "skstack.branches"),
}

IMPORT_NAMES = {
    "scikit-learn": "sklearn",
    "pillow": "PIL",
    "sentence-transformers": "sentence_transformers",
}
# jax is there when a user has chosen that backend of Keras.
UNDECLARED = {"jax"}


def _source_files():
    """Yield the name and the syntax tree of every module of the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield name, path.name == "__init__.py", ast.parse(path.read_text(encoding="utf-8"))


MODULES = {name: (is_package, tree) for name, is_package, tree in _source_files()}


def _statements(tree, in_functions):
    """Yield the import statements of a module, with or without those that run only when a function is called."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif in_functions or not isinstance(node, functions):
            yield from _statements(node, in_functions)


def _imported(name, in_functions):
    """Return the absolute dotted names that a module imports: ``from a import b`` gives both a and a.b."""
    is_package, tree = MODULES[name]
    found = set()
    for node in _statements(tree, in_functions):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
            continue
        base = node.module or ""
        if node.level:
            parents = name.split(".")
            kept = len(parents) - node.level + is_package
            base = ".".join([*parents[:kept], *([base] if base else [])])
        found.add(base)
        found.update(f"{base}.{alias.name}" for alias in node.names)
    return found


def _is_within(module, room):
    return module == room or module.startswith(room.rstrip(".") + ".")


@pytest.mark.parametrize("name", MODULES)
def test_heavy_packages_are_imported_only_where_allowed(name):
    for heavy, allowed in HEAVY.items():
        if name == heavy or any(_is_within(name, room) for room in allowed):
            continue
        found = [module for module in _imported(name, in_functions=False) if _is_within(module, heavy)]
        assert not found, f"{name} imports {found[0]} at module level"


@pytest.mark.parametrize("room", FORBIDDEN)
def test_rooms_never_import_what_lies_above_them(room):
    for name in MODULES:
        if _is_within(name, room):
            for forbidden in FORBIDDEN[room]:
                found = [module for module in _imported(name, in_functions=True) if _is_within(module, forbidden)]
                assert not found, f"{name} imports {found[0]}"


def test_module_level_imports_have_no_cycle():
    graph = {name: (_imported(name, in_functions=False) & MODULES.keys()) - {name} for name in MODULES}
    # Importing a.b runs a's __init__ first, but that says nothing about who leans on whom.
    for name, modules in graph.items():
        modules -= {parent for parent in modules if _is_within(name, parent)}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_third_party_imports_are_declared():
    declared = [
        *PROJECT["dependencies"],
        *(line for extra in PROJECT["optional-dependencies"].values() for line in extra),
    ]
    known = {re.match(r"[\w-]+", line).group() for line in declared}
    known = {IMPORT_NAMES.get(name, name) for name in known} | UNDECLARED
    known |= {"skstack", *sys.stdlib_module_names}
    for name in MODULES:
        roots = {module.split(".")[0] for module in _imported(name, in_functions=True)}
        assert roots <= known, f"{name} imports {sorted(roots - known)}, which pyproject.toml does not declare"


def test_oldest_requirements_are_the_lower_bounds():
    lines = (ROOT / "requirements-oldest.txt").read_text(encoding="utf-8").splitlines()
    pins = {line for line in lines if line and not line.startswith("#")}
    lower_bounds = {line.replace(">=", "==") for line in PROJECT["dependencies"]}
    polars = {line.replace(">=", "==") for line in PROJECT["optional-dependencies"]["test"] if "polars" in line}
    assert pins == lower_bounds | polars


@pytest.mark.parametrize("statement", ["import skstack", "import skstack.branches", "import skstack.datasets"])
def test_importing_the_package_loads_nothing_heavy(statement):
    heavy = ("keras", "tensorflow", "jax", "scikeras") + (
        ("pandas", "pyarrow", "sklearn") * (statement == "import skstack")
    )
    code = f"import sys; {statement}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_public_names_are_listed_by_dir_and_unknown_names_are_refused():
    assert "MultimodalStackingRegressor" in dir(skstack)
    with pytest.raises(AttributeError, match="has no attribute 'MultimodalStacker'"):
        skstack.MultimodalStacker  # noqa: B018
