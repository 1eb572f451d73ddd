"""Configuration of Sphinx. ``make docs`` needs no network and runs no example; ``make gallery`` runs all of them."""

import os
import re
import sys
from pathlib import Path

import skstack

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "skstack"
author = "the skstack developers"
copyright = "2026, the skstack developers"
version = release = skstack.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "recorded_runs",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "recorded"]
templates_path = ["_templates"]
suppress_warnings = [
    "ref.term",  # inherited docstrings of scikit-learn name terms of its own glossary
    # Docstrings inherited from scikit-learn refer to sections of its guide.
    "ref.ref",
    # The gallery's configuration holds functions, which Sphinx cannot keep between builds.
    "config.cache",
]

html_theme = "pydata_sphinx_theme"
html_title = f"skstack {release}"
html_baseurl = "https://skstack.github.io/skstack/"
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["skstack.css"]
html_sidebars = {"index": [], "changelog": []}
html_theme_options = {
    "github_url": "https://github.com/skstack/skstack",
    "logo": {"text": "skstack", "alt_text": "skstack, front page"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "pygments_light_style": "friendly",
    "pygments_dark_style": "monokai",
}

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Names of other packages become links where there is a network: SKSTACK_INTERSPHINX=1.
intersphinx_mapping = {}
if os.environ.get("SKSTACK_INTERSPHINX"):
    intersphinx_mapping = {
        "numpy": ("https://numpy.org/doc/stable", None),
        "pandas": ("https://pandas.pydata.org/docs", None),
        "python": ("https://docs.python.org/3", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
    }

autosummary_generate = True
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": ["../examples"],
    "gallery_dirs": ["gallery"],
    "filename_pattern": re.escape("plot_"),
    # The order of a course: from what is known to what is new.
    "subsection_order": [
        "../examples/first_steps",
        "../examples/images_and_text",
        "../examples/sequences_and_time",
        "../examples/training",
        "../examples/targets",
        "*",
        "../examples/practice",
    ],
    "within_subsection_order": "FileNameSortKey",
    # Pages of classes show the examples that use them.
    "backreferences_dir": "api/examples",
    "doc_module": ("skstack",),
    "default_thumb_file": str(Path(__file__).parent / "_static" / "logo.png"),
    "remove_config_comments": True,
    "abort_on_example_error": True,
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
