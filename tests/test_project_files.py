"""Files around the package agree with it and with each other: API page, versions, workflows, links of built pages."""

import importlib
import importlib.util
import inspect
import re
import tomllib
from pathlib import Path

import pytest

import skstack

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def load(name):
    """Return a script of the documentation as a module."""
    specification = importlib.util.spec_from_file_location(Path(name).stem, ROOT / name)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


# --- API page ---------------------------------------------------------------------------------------------------------


def public_names():
    """Yield the dotted name of every public class and function."""
    for package in ["skstack", *(f"skstack.{name}" for name in skstack.__all__)]:
        module = importlib.import_module(package) if is_module(package) else None
        for name in getattr(module, "__all__", ()):
            if not is_module(f"{package}.{name}"):
                yield f"{package}.{name}"


def is_module(name):
    """Tell whether a dotted name is a package's or module's."""
    parent, _, last = name.rpartition(".")
    return not parent or inspect.ismodule(getattr(importlib.import_module(parent), last))


def listed_names():
    """Return the names of the API page, each with the module that stands above it."""
    module = None
    for line in read("docs/api.rst").splitlines():
        if found := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = found[1]
        elif found := re.fullmatch(r"   (\w+)", line):
            yield f"{module}.{found[1]}"


def test_the_api_page_lists_every_public_name_once():
    listed = list(listed_names())
    assert len(listed) == len(set(listed))
    assert set(listed) == set(public_names())


def test_pages_of_the_api_have_the_address_that_diagrams_link_to():
    assert set(re.findall(r":toctree: (.*)", read("docs/api.rst"))) == {"api/generated"}


# --- versions ---------------------------------------------------------------------------------------------------------


def test_versions_of_python_are_those_that_the_workflow_tests():
    claimed = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)]
    (matrix,) = re.findall(r"python: \[(.*)\]", read(".github/workflows/tests.yml"))
    assert re.findall(r'"(.*?)"', matrix) == claimed
    assert PROJECT["requires-python"] == f">={claimed[0]}"


def test_the_citation_is_of_this_version():
    assert re.search(r"^version: (.*)$", read("CITATION.cff"), flags=re.MULTILINE)[1] == skstack.__version__


def test_pre_commit_has_the_linter_of_make_lint():
    (lower, upper) = re.findall(r"ruff>=([\d.]+),<([\d.]+)", "\n".join(PROJECT["optional-dependencies"]["dev"]))[0]
    pinned = re.search(r"ruff-pre-commit.*?rev: v(\S+)", read(".pre-commit-config.yaml"), flags=re.DOTALL)[1]
    assert f"ruff>={lower},<{upper}" in read(".github/workflows/tests.yml")
    assert [int(part) for part in lower.split(".")] <= [int(part) for part in pinned.split(".")]
    assert [int(part) for part in pinned.split(".")] < [int(part) for part in upper.split(".")]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_targets_and_scripts_that_are_there(workflow):
    text = workflow.read_text(encoding="utf-8")
    targets, scripts = re.findall(r"make ([\w-]+)", text), re.findall(r"python (\S+\.py)", text)
    assert targets or scripts
    for target in targets:
        assert re.search(rf"^{target}:", read("Makefile"), flags=re.MULTILINE), target
    for script in scripts:
        assert (ROOT / script).exists(), script


# --- links ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", ["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_relative_links_lead_to_files(document):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", read(document)):
        assert (ROOT / target).exists(), target


def test_dead_links_of_built_pages_are_found(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "picture.png").write_bytes(b"")
    (tmp_path / "index.html").write_text(
        '<h1 id="top">x</h1><a href="#top">1</a><a href="sub/page.html#there">2</a><img src="picture.png">'
        '<a href="https://elsewhere.org/x">3</a><a href="#gone">4</a><a href="sub/page.html#gone">5</a>'
    )
    (tmp_path / "sub" / "page.html").write_text('<p id="there"></p><a href="../index.html">1</a><img src="gone.png">')
    found = load("docs/check_links.py").dead_links(tmp_path)
    assert found == ["index.html: #gone", "index.html: sub/page.html#gone", "sub/page.html: gone.png"]


# --- recorded runs ----------------------------------------------------------------------------------------------------

RECORDED = sorted((ROOT / "docs" / "recorded").glob("*.txt"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_runs_name_the_command_the_date_and_no_place(path):
    head, printed = load("docs/_ext/recorded_runs.py").read(path)
    (script,) = ROOT.glob(f"examples/*/{path.stem}.py")
    assert f"python {script.relative_to(ROOT)}" in head["command"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", head["date"])
    assert printed.strip() and not re.search(r"/(work|tmp|home|root)/", printed)


def test_pages_of_examples_get_what_was_recorded(tmp_path):
    (tmp_path / "recorded").mkdir()
    (tmp_path / "recorded" / "plot_x.txt").write_text("command: python x\ndate: 2026-01-02\nmachine: mine\n\nR2 0.5\n")
    (tmp_path / "recorded" / "plot_x_1.png").write_bytes(b"")
    (tmp_path / "recorded" / "plot_x_other_1.png").write_bytes(b"")
    source = ["Title\n\n.. _sphx_glr_download_gallery_plot_x.py:\n\nDownload"]
    app = type("App", (), {"srcdir": tmp_path, "config": type("C", (), {"sphinx_gallery_conf": {"plot_gallery": 0}})})
    add = load("docs/_ext/recorded_runs.py").add_recorded_run
    add(app, "guide/plot_x", source)
    assert "R2" not in source[0]
    add(app, "gallery/group/plot_x", source)
    body, _, footer = source[0].partition(".. _sphx_glr_download_")
    assert "``python x``" in body and "2026-01-02" in body and "   R2 0.5" in body and "/recorded/plot_x_1.png" in body
    assert "plot_x_other" not in body and "Download" in footer
