"""A folder of results that belongs to one computation, and refuses others by saying what differs."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ._code import running_keras, versions
from ._content import digest
from ._file_lock import file_lock
from ._result_files import MISSING, is_of_other_format, read, write

#: Parameters that leave the result as it is, or say how long it may take.
_OF_NO_MATTER = {"checkpoint", "memory", "n_jobs", "on_interrupt", "time_limit", "verbose"}

#: Parameters that are lists of names, parts and perhaps columns, in which the parts have parameters of their own.
_LISTS = {"branches", "estimators", "steps", "transformer_list", "transformers"}

#: Characters of a value in a message.
_SHOWN = 60


class Fact(NamedTuple):
    """What something was: a digest, None where there is none, and a text for messages."""

    digest: str | None
    text: str

    @classmethod
    def of(cls, thing, text=None):
        """Return that of a parameter, or of data with a text that describes them."""
        return cls(digest(thing), _shortened(repr(thing)) if text is None else text)

    def differs_from(self, other):
        """Tell whether two facts are known to differ."""
        return None not in (self.digest, other.digest) and self.digest != other.digest


def facts_of_parameters(estimator):
    """Return facts of the parameters of an estimator that make a difference, and of those of its parts, by name.

    Parameters
    ----------
    estimator : estimator
    """
    params, facts = estimator.get_params(deep=True), {}
    for name, value in params.items():
        if name.rpartition("__")[2] in _OF_NO_MATTER:
            continue
        if any(other.startswith(f"{name}__") for other in params):  # what is inside has facts of its own
            facts[name] = Fact.of(type(value), type(value).__name__)
        elif name.rpartition("__")[2] in _LISTS and value is not None:
            facts[name] = Fact.of([(part[0], *part[2:]) for part in value])
        else:
            facts[name] = Fact.of(value)
    return facts


def facts_of_data(given):
    """Return facts of tables and arrays by name, without those that are None."""
    return {name: Fact.of(values, _size(values)) for name, values in given.items() if values is not None}


def _size(values):
    shape = getattr(values, "shape", None)
    if not shape:
        return type(values).__name__
    return f"{shape[0]} rows" + (f", {shape[1]} columns" if len(shape) > 1 else "")


@dataclass
class Record:
    """What a folder of results belongs to.

    Parameters
    ----------
    what : str
        The kind of computation: "a fit of MultimodalStackingRegressor".
    parameters, data : dict of str to Fact
    seed : int
        Drawn for it; that of the folder counts.
    versions : dict of str to str
        Of the packages that results depend on.
    """

    what: str
    parameters: dict
    data: dict
    seed: int = 0
    versions: dict = field(default_factory=lambda: versions() | {"Keras": running_keras()})


def take_folder(folder, record):
    """Return the record of a folder, which becomes the given one where there is none.

    Parameters
    ----------
    folder : path-like
        Made if needed.
    record : Record

    Raises
    ------
    ValueError
        If the folder belongs to something else; the message says what differs.
    OSError
        If nothing can be written there.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file_lock(folder / "checkpoint.lock"):
            path = folder / "checkpoint.kept"
            if is_of_other_format(path):
                raise ValueError(
                    f"checkpoint folder {os.fspath(folder)!r} was written by a version of skstack with another format "
                    "of checkpoints: finish it with that one, or give another folder."
                )
            found = read(path)
            # One that was damaged says nothing: what it belonged to is found by its content all the same.
            if not isinstance(found, Record):
                write(path, record)
                return record
    except OSError as error:
        raise OSError(f"checkpoint folder {os.fspath(folder)!r} cannot be used: {error}.") from error
    difference = _difference(found, record)
    if difference is not None:
        raise ValueError(
            f"checkpoint folder {os.fspath(folder)!r} {difference}. Give another folder, or remove this one."
        )
    return found


def read_record(folder):
    """Return the record of a folder, or None if it has none."""
    found = read(Path(folder) / "checkpoint.kept")
    return None if found is MISSING else found


def _difference(old, new):
    """Return what keeps a folder from being gone on with, or None."""
    if old.what != new.what:
        return f"belongs to {old.what}, not {new.what}"
    known = [name for name in old.versions if old.versions[name] and new.versions.get(name)]
    changed = [name for name in known if old.versions[name] != new.versions[name]]
    if changed:
        was, now = (", ".join(_with_name(name, of.versions[name]) for name in changed) for of in (old, new))
        return f"was written with {was}, not {now}"
    changed = _outermost(_changed(old.parameters, new.parameters))
    if changed:
        was, now = ({name: f"{name}={_text(of.parameters, name)}" for name in changed} for of in (old, new))
        alike = [name for name in changed if was[name] == now[name]]
        if alike:
            return f"belongs to {old.what} with other code or content of {', '.join(alike)}"
        return f"belongs to {old.what} with {', '.join(was.values())}, not {', '.join(now.values())}"
    changed = _changed(old.data, new.data)
    if changed:
        was, now = (", ".join(f"{name} ({_text(of.data, name)})" for name in changed) for of in (old, new))
        differ = "differs" if len(changed) == 1 else "differ"
        return f"belongs to other data: {', '.join(changed)} {differ}; it was {was}, and is {now}"
    return None


def _with_name(name, version):
    return version if version.startswith(name) else f"{name} {version}"


def _changed(old, new):
    """Return the names of facts that differ, or that one of two records lacks."""
    names = dict.fromkeys([*old, *new])
    return [name for name in names if name not in old or name not in new or old[name].differs_from(new[name])]


def _outermost(names):
    """Return parameters without those of parts that are others altogether, and lists of parts where parts differ."""
    if len(names) > 1:
        names = [name for name in names if name.rpartition("__")[2] not in _LISTS]
    return [name for name in names if not any(name.startswith(f"{other}__") for other in names)]


def _text(facts, name):
    return facts[name].text if name in facts else "nothing"


def _shortened(text):
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
