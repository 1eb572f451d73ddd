"""What Ray knows of a search, kept a second time.

Ray writes what it knows in place, so that a process that is killed may leave half a file. It would then begin anew,
with a single candidate.
"""

import json
import shutil
from contextlib import suppress
from pathlib import Path

from ..caching._result_files import MISSING, read, write

#: Name of the file in the folder of a search.
_KEPT = "skstack.kept"


def keep_state(trial):
    """Keep what Ray has last written down about the search of a trial.

    Parameters
    ----------
    trial : ray.tune.experiment.Trial
    """
    written = Path(trial.storage.experiment_driver_staging_path)
    states = {path.name: path.read_bytes() for path in written.glob("*") if path.is_file()}
    write(Path(trial.storage.experiment_fs_path, _KEPT), states)


def mend_state(folder):
    """Put whole files in the place of damaged ones; without these, remove the folder, so that the search begins anew.

    Parameters
    ----------
    folder : path-like
        Of a search, which need not exist.
    """
    folder = Path(folder)
    if not folder.exists() or _is_whole(folder):
        return
    kept = read(folder / _KEPT)
    if kept is not MISSING:
        for path in _states(folder):
            if not _is_whole_file(path):
                path.unlink()
        for name, content in kept.items():
            (folder / name).write_bytes(content)  # what is cut short here is mended from the same file again
    if not _is_whole(folder):
        shutil.rmtree(folder)


def _states(folder):
    return [path for path in folder.glob("*") if path.suffix in (".json", ".pkl")]


def _is_whole(folder):
    states = _states(folder)
    names = [path.name for path in states]
    has_all = "tuner.pkl" in names and any(name.startswith("experiment_state-") for name in names)
    return has_all and all(map(_is_whole_file, states))


def _is_whole_file(path):
    content = path.read_bytes()
    if content.startswith(b"\x80"):  # a pickle, whatever the file is called
        return content.endswith(b".")
    with suppress(ValueError):
        json.loads(content)
        return True
    return False
