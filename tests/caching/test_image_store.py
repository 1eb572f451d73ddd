"""The store of decoded images on disk."""

import os
import pickle
import sqlite3
import stat
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from uuid import UUID

import numpy as np
import pytest

from skstack.caching import _image_store
from skstack.caching._folder import StoreError
from skstack.caching._image_store import PixelStore, clear_store

SHAPE = (2, 3, 1)
SLOT = 6


def _digests(numbers):
    return [b"%015d" % number for number in numbers]


def _images(numbers):
    """Return images that their numbers tell apart."""
    return np.array([np.full(SHAPE, number) for number in numbers], dtype="uint8").reshape(-1, *SHAPE)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SKSTACK_CACHE", str(tmp_path))
    monkeypatch.setattr(_image_store, "_SEGMENT_BYTES", 4 * SLOT)
    return tmp_path / "images-2"


def _open(options="", shape=SHAPE, max_bytes=10**6):
    return PixelStore(options, shape, max_bytes=max_bytes)


def _add(numbers, **kwargs):
    with _open(**kwargs) as store:
        return store.rows(store.add(_digests(numbers), _images(numbers), {}))


def _kept(numbers, **kwargs):
    """Return the numbers of those images that are in the store, having compared their pixels."""
    with _open(**kwargs) as store:
        places = store.find(_digests(numbers))
        kept = np.asarray(numbers)[places[:, 0] >= 0]
        np.testing.assert_array_equal(store.rows(places[places[:, 0] >= 0])[:], _images(kept))
        return kept.tolist()


def _segments(folder):
    return sorted(folder.glob("*.u8"))


# --- filling and finding ----------------------------------------------------------------------------------------------


def test_images_are_found_by_who_opens_the_folder_later():
    np.testing.assert_array_equal(_add([1, 2])[:], _images([1, 2]))
    assert _kept([2, 3, 1]) == [2, 1]


def test_images_are_kept_once(folder):
    _add([1, 2])
    np.testing.assert_array_equal(_add([2, 1, 3])[:], _images([2, 1, 3]))
    assert sum(path.stat().st_size for path in _segments(folder)) == 3 * SLOT


def test_images_fill_one_segment_after_the_other(folder):
    for numbers in ([1], [2, 3], [4, 5, 6], [7]):
        rows = _add(numbers)
        np.testing.assert_array_equal(rows[:], _images(numbers))
    assert sorted(path.stat().st_size for path in _segments(folder)) == [3 * SLOT, 4 * SLOT]
    assert _kept(range(9)) == [1, 2, 3, 4, 5, 6, 7]


def test_rows_taken_before_a_segment_grows_stay_right():
    with _open() as store:
        first = store.add(_digests([1]), _images([1]), {})
        early = store.rows(first)
        second = store.add(_digests([2, 3]), _images([2, 3]), {})
        np.testing.assert_array_equal(store.rows(np.concatenate([second, first]))[:], _images([2, 3, 1]))
    np.testing.assert_array_equal(early[:], _images([1]))


def test_ways_of_decoding_and_shapes_are_kept_apart():
    _add([1], options="pad")
    assert _kept([1], options="pad") == [1]
    assert _kept([1], options="crop") == []
    with _open("pad", shape=(3, 2, 1)) as store:
        assert (store.find(_digests([1])) == -1).all()


def test_no_images_are_no_trouble():
    assert _add([]).shape == (0, *SHAPE)
    assert _kept([]) == []


# --- files that are remembered ----------------------------------------------------------------------------------------


def test_digests_of_files_are_remembered():
    with _open() as store:
        store.add([], _images([]), {b"one": b"1", b"two": b"2"})
    with _open("other") as store:
        assert store.digests([b"two", None, b"three", b"one"]) == [b"2", None, None, b"1"]


def test_the_files_remembered_last_stay(monkeypatch):
    monkeypatch.setattr(_image_store, "_MAX_FILES", 2)
    with _open() as store:
        for key in (b"a", b"b", b"c"):
            store.add([], _images([]), {key: key})
        assert store.digests([b"a", b"b", b"c"]) == [None, b"b", b"c"]


# --- its bound --------------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch):
    """Time that passes by an hour whenever it is asked for."""
    times = iter(range(0, 10**9, 3600))
    monkeypatch.setattr(_image_store.time, "time", lambda: next(times))


@pytest.mark.usefixtures("clock")
def test_the_least_recently_used_segment_makes_room(folder, monkeypatch):
    monkeypatch.setattr(_image_store, "_SEGMENT_SHARE", 4)
    size = {"max_bytes": 8 * SLOT}  # four segments of two images
    for number in range(8):
        _add([number], **size)
    assert _kept([0, 1], **size) == [0, 1]  # used now, so that 2 and 3 are the oldest
    _add([8], **size)
    assert _kept(range(9), **size) == [0, 1, 4, 5, 6, 7, 8]
    for number in range(9, 60):
        _add([number], **size)
        assert sum(path.stat().st_size for path in _segments(folder)) <= 8 * SLOT
    assert 59 in _kept(range(60), **size)


@pytest.mark.usefixtures("clock")
def test_other_ways_of_decoding_make_room_too():
    size = {"max_bytes": 4 * SLOT}
    _add([1, 2, 3], options="pad", **size)
    _add([4, 5, 6], options="crop", **size)
    assert len(_kept([1, 2, 3], options="pad", **size)) <= 1
    assert _kept([4, 5, 6], options="crop", **size) == [4, 5, 6]


def test_rows_in_use_can_be_read_when_their_segment_is_removed(folder):
    rows = _add([1, 2])
    pickled = pickle.dumps(rows)
    clear_store()
    np.testing.assert_array_equal(rows[:], _images([1, 2]))
    if not _segments(folder):  # Windows keeps files that are mapped
        with pytest.raises(FileNotFoundError, match="removed from the cache of images"):
            pickle.loads(pickled)


def test_more_than_fits_is_an_error():
    with pytest.raises(StoreError, match="a cache of 12 bytes is too small for images of 18 bytes"):
        _add([1, 2, 3], max_bytes=2 * SLOT)


@pytest.mark.usefixtures("clock")
def test_images_found_stay_at_hand_when_their_segment_makes_room_for_others():
    size = {"max_bytes": 2 * SLOT}
    _add([1, 2], **size)
    np.testing.assert_array_equal(_add([1, 2, 3, 4], **size)[:], _images([1, 2, 3, 4]))
    assert _kept([1, 2, 3, 4], **size) == [3, 4]


def test_clearing_removes_everything(folder):
    _add([1, 2], options="pad")
    with _open() as store:
        store.add(_digests([1]), _images([1]), {b"key": b"digest"})
    clear_store()
    assert _segments(folder) == []
    assert _kept([1, 2], options="pad") == []
    with _open() as store:
        assert store.digests([b"key"]) == [None]


def test_clearing_what_is_not_there_makes_nothing(folder):
    clear_store()
    assert not folder.exists()


# --- several at a time ------------------------------------------------------------------------------------------------

FILL = """
import sys
import numpy as np
from skstack.caching import _image_store

_image_store._SEGMENT_BYTES = 4 * 6
seed = int(sys.argv[1])
print("ready", flush=True)
input()
for _ in range(15):
    numbers = np.random.default_rng(seed).permutation(60)[:8]
    seed += 2
    images = np.array([np.full((2, 3, 1), number) for number in numbers], dtype="uint8")
    with _image_store.PixelStore("", (2, 3, 1), max_bytes=10**6) as store:
        places = store.add([b"%015d" % number for number in numbers], images, {})
        if not np.array_equal(store.rows(places)[:], images):
            sys.exit("other pixels came back")
print(sorted({"keras", "tensorflow"} & set(sys.modules)))
"""


def test_processes_fill_it_at_once(folder):
    command = [sys.executable, "-c", FILL]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    children = [subprocess.Popen([*command, str(seed)], **pipes) for seed in range(2)]
    assert [child.stdout.readline() for child in children] == ["ready\n"] * 2
    for child in children:
        child.stdin.write("\n")
        child.stdin.flush()
    outputs = [child.communicate(timeout=300) for child in children]
    assert outputs == [("[]\n", "")] * 2
    kept = _kept(range(60))
    assert len(kept) > 50
    assert sum(path.stat().st_size for path in _segments(folder)) == len(kept) * SLOT


def test_threads_fill_and_clear_it_at_once():
    def fill(seed):
        rng = np.random.default_rng(seed)
        for _ in range(10):
            numbers = rng.permutation(40)[:6]
            np.testing.assert_array_equal(_add(numbers, max_bytes=20 * SLOT)[:], _images(numbers))

    with ThreadPoolExecutor(3) as pool:
        filling = [pool.submit(fill, seed) for seed in range(3)]
        clear_store()
        for future in filling:
            future.result(timeout=120)
    _add([41])
    assert 41 in _kept(range(42))


# --- crashes and damage -----------------------------------------------------------------------------------------------

CRASH = """
import os
import numpy as np
from skstack.caching import _image_store

_image_store._SEGMENT_BYTES = 4 * 6
_image_store.os.fsync = lambda descriptor: os._exit(7)  # pixels are written, and nothing is committed
with _image_store.PixelStore("", (2, 3, 1), max_bytes=10**6) as store:
    store.add([b"%015d" % 9], np.full((1, 2, 3, 1), 99, dtype="uint8"), {b"key": b"digest"})
"""


@pytest.mark.parametrize("before", [[], [1, 2]], ids=["new segment", "grown segment"])
def test_what_a_crashed_process_has_half_written_is_not_there(folder, before):
    _add(before)
    crashed = subprocess.run([sys.executable, "-c", CRASH], capture_output=True, text=True, timeout=120)
    assert (crashed.returncode, crashed.stderr) == (7, "")
    assert _kept([1, 2, 9]) == before
    _add([9, 3])
    assert _kept([1, 2, 9, 3]) == [*before, 9, 3]
    left = 1 if before else 0  # in a segment that others use, its place stays empty
    assert sum(path.stat().st_size for path in _segments(folder)) == (len(before) + left + 2) * SLOT


def test_a_full_disk_is_an_error_and_loses_nothing(monkeypatch):
    _add([1])

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(_image_store.os, "fsync", full)
        with pytest.raises(StoreError, match=r"cannot be used: .*No space left"):
            _add([2])
    _add([3])
    assert _kept([1, 2, 3]) == [1, 3]


def _delete(path):
    path.unlink()


def _cut(path):
    path.write_bytes(path.read_bytes()[:-1])


DAMAGED = r"The cache of images in '.*images-2' is damaged; images that are decoded again: {}\."


@pytest.mark.parametrize("damage", [_delete, _cut])
@pytest.mark.parametrize("numbers", [[1, 2], [1, 2, 3, 4]], ids=["with room", "full"])
def test_images_of_a_damaged_segment_are_added_again(folder, damage, numbers):
    _add(numbers)
    damage(_segments(folder)[0])
    with pytest.warns(UserWarning, match=DAMAGED.format(1)):
        np.testing.assert_array_equal(_add([1, 5])[:], _images([1, 5]))
    with pytest.warns(UserWarning, match=DAMAGED.format(1)) if len(numbers) == 4 else nullcontext():
        assert _kept([1, 2, 5]) == [1, 5]


@pytest.mark.parametrize("damage", [_delete, _cut])
def test_images_of_a_damaged_segment_are_not_found(folder, damage):
    _add([1, 2])
    damage(_segments(folder)[0])
    with pytest.warns(UserWarning, match=DAMAGED.format(2)):
        assert _kept([1, 2]) == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it is told once
        assert _kept([1, 2]) == []


def _change(folder, statement):
    with sqlite3.connect(folder / "index.sqlite") as connection:
        assert connection.execute(statement).rowcount > 0
    connection.close()


def _flip(folder):
    """Change a pixel of the second image."""
    segment = _segments(folder)[0]
    content = bytearray(segment.read_bytes())
    content[SLOT + 2] ^= 1
    segment.write_bytes(content)


def _set(assignment):
    return lambda folder: _change(folder, f"UPDATE {assignment}")


@pytest.mark.parametrize(
    ("damage", "lost"),
    [
        (_flip, [2]),
        (_set("images SET slot = 1 - slot WHERE slot < 2"), [1, 2]),
        (_set("images SET slot = -1 WHERE slot = 1"), [2]),
        (_set("images SET slot = 100 WHERE slot = 1"), [2]),
        (_set("images SET slot = 'x' WHERE slot = 1"), [2]),
        (_set("images SET segment = 'gone' WHERE slot = 1"), [2]),
        (_set("images SET segment = '../images-2/index' WHERE slot = 1"), [2]),
        (_set("images SET checksum = 0 WHERE slot = 1"), [2]),
        (_set("segments SET used = 'x'"), [1, 2, 3]),
        (_set("segments SET slots = 1"), [2, 3]),
        (_set("segments SET slots = 'x', slot_bytes = 'x'"), [1, 2, 3]),
    ],
    ids=["pixel", "slots", "negative", "beyond", "text", "segment", "path", "checksum", "use", "fewer", "no count"],
)
def test_a_damaged_image_is_found_out_told_and_added_again(folder, damage, lost):
    _add([1, 2, 3])
    damage(folder)
    with pytest.warns(UserWarning, match=DAMAGED.format(len(lost))) as told:
        assert _kept([1, 2, 3]) == [number for number in (1, 2, 3) if number not in lost]
    assert len(told) == 1
    np.testing.assert_array_equal(_add([1, 2, 3, 4])[:], _images([1, 2, 3, 4]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert _kept([1, 2, 3, 4]) == [1, 2, 3, 4]


def test_images_that_others_still_show_are_not_written_over_where_the_index_is_damaged(folder):
    rows = _add([1, 2, 3])
    _change(folder, "UPDATE segments SET slots = 1")
    _add([4])
    np.testing.assert_array_equal(rows[:], _images([1, 2, 3]))


@pytest.mark.parametrize("value", ["x'00'", "'2'", "(SELECT digest FROM files WHERE rowid = 1)"])
def test_a_damaged_digest_of_a_file_is_found_out(folder, value):
    with _open() as store:
        store.add([], _images([]), {b"one": b"1", b"two": b"2"})
    _change(folder, f"UPDATE files SET digest = {value} WHERE rowid = 2")
    with _open() as store:
        assert store.digests([b"one", b"two"]) == [b"1", None]
        store.add([], _images([]), {b"two": b"2"})
        assert store.digests([b"one", b"two"]) == [b"1", b"2"]


@pytest.mark.parametrize("damage", [_delete, _cut])
def test_a_damaged_segment_is_not_filled_up(folder, damage):
    _add([1, 2])
    damage(_segments(folder)[0])
    _add([3])
    assert _kept([3]) == [3]


def _overwrite(content):
    return b"this is no database" * 500


def _break_pages(content):
    return content[:4096] + b"\xff" * (len(content) - 4096)


def _cut_off(content):
    return content[:5000]


def _break_schema(content):
    assert b"CREATE TABLE images" in content
    return content.replace(b"CREATE TABLE images", b"CREATE TABLE \xff\xfeages")


@pytest.mark.parametrize("damage", [_overwrite, _break_pages, _cut_off, _break_schema])
@pytest.mark.parametrize("use", [_kept, _add, lambda _: clear_store()], ids=["find", "add", "clear"])
def test_a_damaged_index_begins_anew_and_tells(folder, damage, use):
    _add([1])
    (folder / "index.sqlite").write_bytes(damage((folder / "index.sqlite").read_bytes()))
    with pytest.warns(UserWarning, match="images-2' has a damaged index and begins anew: ") as told:
        use([1])
    assert len(told) == 1
    _add([1])
    assert _kept([1]) == [1]
    assert len(_segments(folder)) == 1


def test_an_index_with_other_tables_begins_anew(folder):
    folder.mkdir()
    connection = sqlite3.connect(folder / "index.sqlite")
    connection.execute("CREATE TABLE images (key BLOB PRIMARY KEY, place TEXT)")
    connection.close()
    with pytest.warns(UserWarning, match="begins anew"):
        assert _kept([1]) == []
    _add([1])
    assert _kept([1]) == [1]


def test_an_index_that_is_damaged_while_it_is_open_begins_anew(folder):
    with _open() as store:
        first = store.add(_digests([1]), _images([1]), {})
        path = folder / "index.sqlite"
        path.write_bytes(_overwrite(path.read_bytes()))
        with pytest.warns(UserWarning, match="begins anew"):
            second = store.add(_digests([2]), _images([2]), {})
        np.testing.assert_array_equal(store.rows(np.concatenate([first, second]))[:], _images([1, 2]))
    assert _kept([1, 2]) == [2]


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.usefixtures("clock")
@pytest.mark.filterwarnings("ignore:The cache of images:UserWarning")
def test_no_damage_of_the_index_gives_wrong_images_or_stays(folder, monkeypatch, seed):
    names = map(UUID, map("{:032x}".format, range(2**64, 2**65, 2**62)))  # the same ones in each run
    monkeypatch.setattr(_image_store, "uuid4", lambda: next(names))
    numbers = list(range(6))
    _add(numbers)
    content = bytearray((folder / "index.sqlite").read_bytes())
    generator = np.random.default_rng(seed)
    places = generator.choice(np.flatnonzero(np.frombuffer(content, "uint8")), 3)
    for place, value in zip(places, generator.integers(0, 256, 3), strict=True):
        content[place] = value
    (folder / "index.sqlite").write_bytes(content)
    _kept(numbers)
    np.testing.assert_array_equal(_add(numbers)[:], _images(numbers))
    _add(numbers)
    assert _kept(numbers) == numbers


def test_an_empty_index_is_filled(folder):
    _add([1])
    (folder / "index.sqlite").write_bytes(b"")
    assert _kept([1]) == []
    _add([1])
    assert _kept([1]) == [1]
    assert len(_segments(folder)) == 1


def test_a_database_that_another_process_holds_is_not_taken_for_a_damaged_one(folder, monkeypatch):
    _add([1])
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, timeout, **kwargs: connect(path, timeout=0.01, **kwargs))
    other = connect(folder / "index.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    for use in (_kept, _add, lambda _: clear_store()):
        with pytest.raises(StoreError, match="database is locked"):
            use([1])
    other.execute("ROLLBACK")
    other.close()
    assert _kept([1]) == [1]


# --- whose it is ------------------------------------------------------------------------------------------------------

posix = pytest.mark.skipif(os.name != "posix", reason="Windows keeps rights in access lists, not in modes")


def _modes(folder):
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}


@pytest.fixture
def umask():
    """Let everybody do everything with what is made."""
    before = os.umask(0)
    yield
    os.umask(before)


@posix
@pytest.mark.usefixtures("umask")
def test_nobody_else_can_read_or_write_it_whatever_the_umask(folder, monkeypatch):
    monkeypatch.setenv("SKSTACK_CACHE", str(folder / "new"))
    folder = folder / "new"
    _add([1])
    modes = _modes(folder / "images-2")
    assert modes.pop("images-2") == 0o700
    assert set(modes.values()) == {0o600}
    assert len(modes) == 2
    assert _modes(folder)["new"] == _modes(folder.parent)["images-2"] == 0o700  # folders made on the way


@posix
def test_access_to_what_is_there_is_narrowed(folder):
    _add([1])
    folder.chmod(0o777)
    (folder / "index.sqlite").chmod(0o644)
    assert _kept([1]) == [1]
    modes = _modes(folder)
    assert (modes["images-2"], modes["index.sqlite"]) == (0o700, 0o600)


@posix
def test_a_journal_is_private_too(folder, monkeypatch):
    seen, sync = [], os.fsync

    def look(descriptor):
        seen.append(_modes(folder))
        sync(descriptor)

    monkeypatch.setattr(_image_store.os, "fsync", look)
    _add([1])
    assert seen[0]["index.sqlite-journal"] == 0o600


@posix
@pytest.mark.parametrize("what", ["folder", "index"])
def test_what_belongs_to_somebody_else_is_not_believed(folder, monkeypatch, what):
    _add([1])
    owner, stat_of = folder.stat().st_uid, os.stat

    def owned_by_another(path, **kwargs):
        status = stat_of(path, **kwargs)
        named = os.fspath(path) == str(folder if what == "folder" else folder / "index.sqlite")
        return os.stat_result([*status[:4], owner + named, *status[5:]])

    monkeypatch.setattr(os, "stat", owned_by_another)
    for use in (_kept, _add, lambda _: clear_store()):
        with pytest.raises(StoreError, match=r"cache of images .* cannot be used: .* belongs to somebody else"):
            use([1])


@posix
def test_a_link_is_judged_by_the_folder_behind_it(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    folder.symlink_to(tmp_path / "elsewhere")
    _add([1])
    assert _kept([1]) == [1]
    assert _modes(tmp_path / "elsewhere")["elsewhere"] == 0o700


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("SKSTACK_CACHE", str(tmp_path / "file"))
    with pytest.raises(StoreError, match=r"the cache of images in '.*file.images-2' cannot be used"):
        _add([1])
