"""Pages in a real browser without a window: Chromium, where there is one.

A page is shown in a frame of the width that is wanted, as no window is as narrow as a telephone, and measured there.
"""

import html
import json
import re
import shutil
import subprocess
from dataclasses import dataclass

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_AROUND = """<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body>
<iframe id="page" style="width: {width}px; height: 900px; border: 0" srcdoc="{page}"></iframe>
<script>
addEventListener("load", () => {{
  const inside = document.getElementById("page").contentDocument, root = inside.documentElement;
  const wide = [...inside.querySelectorAll("body *")].filter(
    (one) => !one.closest(".scroll") && one.getBoundingClientRect().right > root.clientWidth + 1);
  document.body.dataset.seen = JSON.stringify({{
    width: root.clientWidth,
    scroll_width: root.scrollWidth,
    wide: wide.map((one) => one.outerHTML.slice(0, 80)),
    pictures: [...inside.images].map((one) => one.naturalWidth),
    headings: [...inside.querySelectorAll("h2")].map((one) => one.textContent),
    font_size: parseFloat(inside.defaultView.getComputedStyle(inside.body).fontSize),
  }});
}});
</script>"""


@dataclass
class Seen:
    """What a browser says of a page; widths in pixels of the screen."""

    width: int
    scroll_width: int
    wide: list
    pictures: list
    headings: list
    font_size: float
    console: list


def browser():
    """Return the path of a browser, or skip the test."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    return found


def look(page, width, folder):
    """Return what a browser says of a page at a width.

    Parameters
    ----------
    page : str
        HTML.
    width : int
        In pixels.
    folder : pathlib.Path
        For files that are left to the test.

    Returns
    -------
    seen : Seen
    """
    around = folder / "around.html"
    around.write_text(_AROUND.format(width=width, page=html.escape(page)), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    flags += [f"--window-size={width + 200},1000", "--enable-logging=stderr", "--virtual-time-budget=5000"]
    done = subprocess.run(
        [browser(), *flags, "--dump-dom", around.as_uri()], capture_output=True, text=True, timeout=300, check=True
    )
    seen = json.loads(html.unescape(re.search(r'data-seen="([^"]*)"', done.stdout)[1]))
    return Seen(**seen, console=re.findall(r":CONSOLE[:(].*", done.stderr))
