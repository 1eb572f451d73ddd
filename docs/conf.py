"""Configuration of Sphinx. The build needs no network and does not run the examples."""

import re

import skstack

project = "skstack"
author = "the skstack developers"
copyright = "2026, the skstack developers"
version = release = skstack.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]

html_theme = "furo"
html_title = f"skstack {release}"
html_static_path = []

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autosummary_generate = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
# Docstrings inherited from scikit-learn refer to sections of its guide.
suppress_warnings = ["ref.ref"]

sphinx_gallery_conf = {
    "examples_dirs": ["../examples"],
    "gallery_dirs": ["gallery"],
    "filename_pattern": re.escape("plot_"),
    # The examples train networks; `make examples` runs them.
    "plot_gallery": False,
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
}


def _escape_shapes(app, what, name, obj, options, lines):
    """Keep ``*`` and ``_`` in shapes such as (n_samples, *input_shape_) from being read as markup."""
    for position, line in enumerate(lines):
        lines[position] = re.sub(r"of shape \([^)]*\)", lambda shape: re.sub(r"(\*|_\b)", r"\\\1", shape[0]), line)


def setup(app):
    """Register what this file adds to Sphinx; numpydoc's own step has priority 500 and comes after."""
    app.connect("autodoc-process-docstring", _escape_shapes, priority=400)
