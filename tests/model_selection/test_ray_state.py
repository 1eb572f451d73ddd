"""What Ray knows of a search, kept a second time."""

import json
import pickle
from types import SimpleNamespace

import pytest

from skstack.model_selection._ray_state import keep_state, mend_state

STATE = "experiment_state-2026-01-01_00-00-00.json"
FILES = {
    STATE: json.dumps({"trials": [1, 2]}).encode(),
    "basic-variant-state-2026-01-01_00-00-00.json": pickle.dumps({"next": 2}),  # a pickle, as Ray writes it
    "tuner.pkl": pickle.dumps("tuner"),
}


@pytest.fixture
def search(tmp_path):
    """A folder of a search, as Ray left it when a trial was over, and the folder that Ray copies from."""
    staging, folder = tmp_path / "staging", tmp_path / "search"
    for place in (staging, folder):
        (place / "0_trial").mkdir(parents=True)
        for name, content in FILES.items():
            (place / name).write_bytes(content)
    (staging / "tuner.pkl").unlink()  # Ray writes it where the search is kept
    storage = SimpleNamespace(experiment_driver_staging_path=str(staging), experiment_fs_path=str(folder))
    return folder, SimpleNamespace(storage=storage)


def _contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name in FILES}


def test_whole_files_stay_as_they_are(search):
    folder, trial = search
    keep_state(trial)
    newer = json.dumps({"trials": [1, 2, 3]}).encode()
    (folder / STATE).write_bytes(newer)
    mend_state(folder)
    assert _contents(folder) == {**FILES, STATE: newer}


@pytest.mark.parametrize("name", list(FILES)[:2])
@pytest.mark.parametrize("damage", [lambda content: content[:-3], lambda content: b""], ids=["half", "empty"])
def test_damaged_files_are_replaced_by_those_kept(search, name, damage):
    folder, trial = search
    keep_state(trial)
    (folder / name).write_bytes(damage(FILES[name]))
    mend_state(folder)
    assert _contents(folder) == FILES
    assert (folder / "0_trial").exists()


def test_a_state_that_is_not_there_is_put_back(search):
    folder, trial = search
    keep_state(trial)
    (folder / STATE).unlink()
    mend_state(folder)
    assert _contents(folder) == FILES


def test_a_damaged_file_of_a_later_process_gives_way_to_an_earlier_one(search):
    folder, trial = search
    keep_state(trial)
    later = folder / "experiment_state-2026-01-02_00-00-00.json"
    later.write_bytes(b"{")
    mend_state(folder)
    assert _contents(folder) == FILES
    assert not later.exists()


@pytest.mark.parametrize("name", list(FILES))
def test_without_whole_files_the_search_begins_anew(search, name):
    folder, _ = search
    (folder / name).write_bytes(b"")
    mend_state(folder)
    assert not folder.exists()


def test_what_is_kept_in_half_does_not_count(search):
    folder, trial = search
    keep_state(trial)
    (kept,) = folder.glob("*.kept")
    kept.write_bytes(kept.read_bytes()[:-3])
    (folder / STATE).write_bytes(b"")
    mend_state(folder)
    assert not folder.exists()


def test_a_search_that_was_never_begun_is_none(tmp_path):
    mend_state(tmp_path / "search")
    assert not (tmp_path / "search").exists()
