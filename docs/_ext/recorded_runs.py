"""Sphinx extension: pages of the gallery show what a full run of their example printed and drew.

``docs/record.py`` writes the files. A page that was built in quick mode says so and leads to the full run.
"""

import os
from pathlib import Path

QUICK = """
.. note::

   What this page prints and draws comes from a quick run: few rows, few epochs. Below is what
   :ref:`a full run <{label}>` gave.

"""

SECTION = """

.. _{label}:

What a full run gave
--------------------

Recorded on {date} by ``{command}`` ({machine}).
"""


def read(path):
    """Return what stands in the head of a recorded file, and what was printed."""
    head, _, printed = path.read_text(encoding="utf-8").partition("\n\n")
    return dict(line.split(": ", 1) for line in head.splitlines()), printed


def section(name, path):
    """Return the section about a recorded run, as reStructuredText."""
    head, printed = read(path)
    parts = [SECTION.format(label=f"full_run_{name}", **head)]
    if printed.strip():
        parts += [".. code-block:: none", "", *(f"   {line}".rstrip() for line in printed.splitlines()), ""]
    for picture in sorted(path.parent.glob(f"{name}_[0-9].png")):
        parts += [f".. image:: /recorded/{picture.name}", f"   :alt: what {name} draws in a full run", ""]
    return "\n".join(parts)


def add_recorded_run(app, docname, source):
    """Add the recorded run to a page of the gallery: before what the gallery says of timing and downloads."""
    name = docname.rpartition("/")[2]
    path = Path(app.srcdir) / "recorded" / f"{name}.txt"
    if not docname.startswith("gallery/") or not path.exists():
        return
    body, timing, footer = source[0].partition("\n.. rst-class:: sphx-glr-timing")
    if not timing:
        body, timing, footer = source[0].partition("\n.. _sphx_glr_download_")
    if app.config.sphinx_gallery_conf["plot_gallery"] and os.environ.get("SKSTACK_QUICK"):
        title, line, rest = body.partition("\n.. GENERATED FROM PYTHON SOURCE LINES")
        intro, second, others = rest.partition("\n.. GENERATED FROM PYTHON SOURCE LINES")
        body = title + line + intro + QUICK.format(label=f"full_run_{name}") + second + others
    source[0] = body + section(name, path) + timing + footer


def setup(app):
    """Register the step with Sphinx."""
    app.connect("source-read", add_recorded_run)
    return {"parallel_read_safe": True}
