"""Record what an example prints and draws: ``python docs/record.py plot_houses --demo``.

The whole gallery cannot be trained at each build of the documentation. What a full run printed and drew is kept in
``docs/recorded`` with its command and date, and shown on the example's page by ``docs/_ext/recorded_runs.py``. What
stands behind the name goes to the example. Record with ``SKSTACK_DATA`` only what draws curves: pictures of real data
stay out.
"""

import contextlib
import datetime
import io
import os
import platform
import runpy
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
from PIL import Image

ROOT = Path(__file__).parents[1]
RECORDED = ROOT / "docs" / "recorded"
PACKAGES = ("scikit-learn", "keras", "tensorflow")


class Tee(io.StringIO):
    """Keep what is printed, and print it."""

    def write(self, text):
        sys.__stdout__.write(text)
        return super().write(text)


def save_figures(name, counter):
    """Save the open figures as small files, numbered on from ``counter``, and close them."""
    for number in plt.get_fignums():
        counter.append(number)
        drawn = io.BytesIO()
        plt.figure(number).savefig(drawn, dpi=100)
        # Plots have few colours: a palette makes the file a third as large.
        Image.open(drawn).convert("RGB").quantize(128).save(RECORDED / f"{name}_{len(counter)}.png", optimize=True)
    plt.close("all")


def command_of(script, arguments):
    """Return what a reader types to get the same, without the place where data lie on this machine."""
    data = "SKSTACK_DATA=... " if os.environ.get("SKSTACK_DATA") else ""
    quick = "SKSTACK_QUICK=1 " if os.environ.get("SKSTACK_QUICK") else ""
    return " ".join([f"{data}{quick}python {script.relative_to(ROOT)}", *arguments])


def main(name, *arguments):
    """Run an example as a script and write what came of it."""
    matplotlib.use("Agg")
    RECORDED.mkdir(exist_ok=True)
    for old in RECORDED.glob(f"{name}_[0-9].png"):
        old.unlink()
    drawn, printed, started = [], Tee(), time.perf_counter()
    plt.show = lambda *args, **kwargs: save_figures(name, drawn)
    (script,) = ROOT.glob(f"examples/*/{name}.py")
    sys.argv = [str(script), *arguments]
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        runpy.run_path(sys.argv[0], run_name="__main__")
    save_figures(name, drawn)
    text = printed.getvalue()
    if folder := os.environ.get("SKSTACK_DATA"):
        text = text.replace(folder.rstrip("/"), "$SKSTACK_DATA")
    packages = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    minutes = (time.perf_counter() - started) / 60
    head = [
        f"command: {command_of(script, arguments)}",
        f"date: {datetime.date.today()}",
        f"machine: {os.cpu_count()} cores, Python {platform.python_version()}, {packages}; {minutes:.1f} minutes",
    ]
    (RECORDED / f"{name}.txt").write_text("\n".join([*head, "", text.strip(), ""]), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
