"""The Python blocks of the guides run, one after the other, as a reader would type them.

Those of the README do so far from the checkout, with the built wheel (tests/run_wheel.py).

Blocks marked ``py`` are shown as Python and do not run here: they need packages that the tests do without, such as
skore, or a cluster of several machines, or they fit a stack so often that they take longer than the rest of their page.
"""

import re
import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import sklearn

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "docs").rglob("*.md")
    if re.search(r"^```python\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
)


# As Python does, say nothing of what is deprecated in packages that a page imports, only of what stands on the page.
@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::PendingDeprecationWarning", "error::DeprecationWarning:__main__"
)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_code_blocks_run_in_order_and_without_a_word_on_stderr(document, tmp_path, monkeypatch, capfd):
    """Each page with names of its own, but in one process, in which pages share imports and compiled programs."""
    text = (ROOT / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    assert blocks
    script = tmp_path / "blocks.py"
    script.write_text("\n".join(blocks), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    try:
        with sklearn.config_context():
            runpy.run_path(str(script), run_name="__main__")
    finally:
        plt.close("all")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_links_lead_to_files_of_the_repository(target):
    assert (ROOT / target).exists()


@pytest.mark.parametrize("target", re.findall(r"^make (\S+)", README, flags=re.MULTILINE))
def test_commands_are_targets_of_the_makefile(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
