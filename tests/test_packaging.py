"""What holds for the package as a whole: cheap imports, layers, declared dependencies, public names."""

import ast
import re
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

import skstack

ROOT = Path(__file__).parents[1]
PACKAGE = Path(skstack.__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# What branches keep their layers beside them for.
_LAYER_KINDS = ("audio", "backbone", "date", "entity", "image", "item", "member", "numeric", "sequence", "text")

# Modules that may load these at import time, by the start of their name; everyone else imports them inside functions.
HEAVY = {
    "keras": ("skstack._backend",),
    "scikeras": ("skstack._scikeras",),
    "tensorflow": ("skstack.training.",),
    "jax": ("skstack.training.",),
    "skstack._backend": (
        "skstack._layers",
        "skstack._scikeras",
        "skstack.backbones._bert_layers",
        "skstack.backbones._scaling",
        "skstack.branches._layers",
        *(f"skstack.branches._{kind}_layers" for kind in _LAYER_KINDS),
        "skstack.network.",
        "skstack.tasks._layers",
        "skstack.tasks._losses",
        "skstack.tasks._members",
        "skstack.tasks._metrics",
        "skstack.training.",
    ),
}

KERAS = ("keras", "tensorflow", "jax", "scikeras")

# The floors of the house, from the top: a room imports what lies below it, inside functions too, and nothing beside or
# above it. A test finds circles that this order would miss; what is not named here may be imported by every room.
FLOORS = (
    ("inspection",),
    ("model_selection",),
    ("stacking",),
    ("suggestion",),
    ("network",),
    ("tasks", "fusion"),
    ("preprocessing",),
    ("branches",),
    ("backbones",),
    ("training",),
    ("_validation",),
    ("_columns",),
    ("reading",),
    ("caching",),
)

# What a room never imports besides, inside functions neither.
FORBIDDEN = {
    "skstack.stacking": (*KERAS, "skstack._backend"),
    "skstack.network": ("scikeras",),
    "skstack.suggestion": (*KERAS, "skstack._backend"),
    "skstack.model_selection": (*KERAS, "skstack._backend"),
    "skstack._columns": (*KERAS, "skstack._backend"),
    "skstack._parts": (*KERAS, "skstack._backend"),
    "skstack.branches": ("scikeras", "skstack._scikeras"),
    "skstack.caching": (*KERAS, "skstack._backend"),
    "skstack.datasets": (*KERAS, "skstack._backend", *(f"skstack.{room}" for floor in FLOORS for room in floor)),
    "skstack.parallel": (*KERAS, "skstack._backend", *(f"skstack.{room}" for floor in FLOORS for room in floor)),
    "skstack.preprocessing": ("scikeras", "skstack._scikeras", "skstack.branches"),
    "skstack.reading": (*KERAS, "skstack._backend"),
    "skstack.training": ("scikeras", "skstack._scikeras"),
    "skstack._scikeras": tuple(f"skstack.{room}" for floor in FLOORS for room in floor),
}

IMPORT_NAMES = {
    "keras-hub": "keras_hub",
    "scikit-learn": "sklearn",
    "pillow": "PIL",
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


def _forbidden(room):
    """Return what a room never imports: what stands in FORBIDDEN, and the rooms beside and above it."""
    level = next((level for level, floor in enumerate(FLOORS) if room.removeprefix("skstack.") in floor), -1)
    above = [f"skstack.{other}" for floor in FLOORS[: level + 1] for other in floor]
    return {*FORBIDDEN.get(room, ()), *above} - {room}


@pytest.mark.parametrize("room", sorted({*FORBIDDEN, *(f"skstack.{room}" for floor in FLOORS for room in floor)}))
def test_rooms_never_import_what_lies_above_them(room):
    for name in MODULES:
        if _is_within(name, room):
            for forbidden in _forbidden(room):
                found = [module for module in _imported(name, in_functions=True) if _is_within(module, forbidden)]
                assert not found, f"{name} imports {found[0]}"


def _room(module):
    """Return the room a module belongs to: a folder, or a file beside the folders."""
    return module.split(".")[1] if "." in module else module


def _without_circle(graph):
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_rooms_do_not_import_each_other_in_a_circle():
    rooms = {}
    for name in MODULES.keys() - {"skstack"}:
        imported = _imported(name, in_functions=True)
        rooms.setdefault(_room(name), set()).update(_room(module) for module in imported if module in MODULES)
    _without_circle({room: others - {room} for room, others in rooms.items()})


def _lazily_loaded(name):
    """Return the modules whose names a package hands out when it is asked for them."""
    strings = [node.value for node in ast.walk(MODULES[name][1]) if isinstance(node, ast.Constant)]
    return {resolve_name(s, name) for s in strings if isinstance(s, str) and re.fullmatch(r"\.+\w[\w.]*", s)}


def test_modules_do_not_import_each_other_in_a_circle():
    graph = {name: _imported(name, in_functions=True) & MODULES.keys() for name in MODULES.keys() - {"skstack"}}
    for name, modules in graph.items():
        if MODULES[name][0]:
            modules |= _lazily_loaded(name)
        # Importing a.b runs a's __init__ first, but says nothing of who leans on whom, unless by a `from a import`.
        packages = {module for module in modules if MODULES[module][0]}
        modules -= {package for package in packages if any(_is_within(other, package) for other in modules - packages)}
        modules -= {name, "skstack"}
    _without_circle(graph)


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


# --- rooms ------------------------------------------------------------------------------------------------------------

# Source files without a test file of their own, and where they are tested instead.
TESTED_ELSEWHERE = (
    {
        f"skstack.fusion._{way}": "fusion/test_every_fusion.py"
        for way in ("add", "attention", "average", "concatenate", "gated", "maximum", "multiply")
    }
    | {
        f"skstack.model_selection._ray_{part}": "model_selection/test_ray_search.py"
        for part in ("listening", "results", "trial")
    }
    | {
        "skstack.inspection._one_target": "inspection/test_several_outputs.py",
        "skstack.network._sharing": "network/test_shared_models.py",
    }
)

MAX_LINES, MAX_CLASS_LINES = 500, 350
# Mends another package's classes method by method.
LONG = {"skstack._scikeras"}


def _path(name):
    return PACKAGE.parent.joinpath(*name.split(".")).with_suffix(".py")


def test_every_source_file_has_its_test_file():
    """``skstack/room/_file.py`` is tested by ``tests/room/test_file.py``."""
    without = []
    for name, (is_package, _) in MODULES.items():
        *rooms, file = name.split(".")[1:] or ["skstack"]
        test = ROOT.joinpath("tests", *rooms, f"test_{file.strip('_')}.py")
        if not is_package and name not in TESTED_ELSEWHERE and not test.exists():
            without.append(f"{name}: {test.relative_to(ROOT)}")
    assert not without, "\n".join(["source files without a test file:", *without])


def test_what_is_tested_elsewhere_is_there():
    for name, test in TESTED_ELSEWHERE.items():
        assert name in MODULES
        assert ROOT.joinpath("tests", test).exists(), f"{name} is said to be tested by {test}"


def test_no_private_name_is_used_from_another_package():
    found = []
    for name, (is_package, tree) in MODULES.items():
        own = name if is_package else name.rpartition(".")[0]
        for node in _statements(tree, in_functions=True):
            if isinstance(node, ast.ImportFrom) and node.level:
                module = resolve_name("." * node.level + (node.module or ""), own)
                private = [
                    alias.name
                    for alias in node.names
                    if alias.name[0] == "_" and f"{module}.{alias.name}" not in MODULES
                ]
                if private and module.rpartition(".")[0] != own:
                    found.append(f"{name} uses {private} of {module}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", sorted(MODULES.keys() - LONG))
def test_files_and_classes_are_short(name):
    assert len(_path(name).read_text(encoding="utf-8").splitlines()) <= MAX_LINES if not MODULES[name][0] else True
    for node in ast.walk(MODULES[name][1]):
        if isinstance(node, ast.ClassDef):
            assert node.end_lineno - node.lineno < MAX_CLASS_LINES, f"{node.name} is too long"
