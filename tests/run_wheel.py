"""Build the wheel, install it where nothing of this checkout is, and run the README: ``python tests/run_wheel.py``.

The fresh environment borrows the dependencies of the one that this runs in, which takes seconds; ``--dependencies``
installs them from the index as the wheel asks for them, which takes minutes and 3 GB.
"""

import argparse
import re
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def build(folder):
    """Return the path of the wheel, built in a folder of its own."""
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT], check=True)
    (wheel,) = Path(folder).glob("*.whl")
    return wheel


def check_contents(wheel):
    """Fail unless the wheel holds the package, all of it, and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    foreign = {name.split("/")[0] for name in names} - {"skstack"}
    assert all(folder.endswith(".dist-info") for folder in foreign), f"{wheel.name} also holds {sorted(foreign)}"
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "skstack").rglob("*.py")}
    assert sources <= names, f"{wheel.name} lacks {sorted(sources - names)}"


def install(wheel, folder, with_dependencies):
    """Return the interpreter of a fresh environment that holds the wheel."""
    venv.create(folder, with_pip=with_dependencies)
    paths = {"base": str(folder), "platbase": str(folder)}
    scheme = "nt_venv" if sys.platform == "win32" else "posix_venv"
    python = Path(sysconfig.get_path("scripts", scheme, paths)) / "python"
    if with_dependencies:
        subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True)
        return python
    site = Path(sysconfig.get_path("purelib", scheme, paths))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, wheel]
    subprocess.run(command, check=True)
    # A plain path behind the own one: editable installs that lie there, this checkout's among them, are not followed.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return python


def run_readme(python, folder):
    """Run the Python blocks of the README, one after the other and without a word on stderr, far from the checkout."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    where = "import skstack, sys; assert skstack.__file__.startswith(sys.prefix), skstack.__file__"
    script = Path(folder) / "readme.py"
    script.write_text("\n".join([where, *blocks]), encoding="utf-8")
    done = subprocess.run([python, "-I", script], cwd=folder, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr


def main():
    """Do all of it in a folder that is gone afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dependencies", action="store_true", help="install them from the index too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder).resolve()
        wheel = build(folder)
        check_contents(wheel)
        run_readme(install(wheel, folder / "environment", given.dependencies), folder)
        print(f"{wheel.name}: built, installed, and its README runs")


if __name__ == "__main__":
    main()
