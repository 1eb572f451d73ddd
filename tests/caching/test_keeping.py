"""Units of work, and the blocks that keep their results."""

import pickle
import threading

import pytest

from skstack.caching._keeping import Unit, keeping, kept_results, unfinished_results
from skstack.caching._result_files import MISSING
from skstack.caching._results import FolderResults, MemoryResults


def test_nothing_is_kept_outside_of_a_block():
    unit = Unit.of("work", 1)
    assert unit.find() is MISSING
    unit.add(1)
    assert [unit.get(lambda number=number: number) for number in (1, 2)] == [1, 2]
    assert kept_results() is unfinished_results() is None


def test_blocks_may_stand_in_blocks_and_turn_keeping_off():
    outer, inner = MemoryResults(), MemoryResults()
    with keeping(outer):
        with keeping(inner):
            assert kept_results() is inner
        with keeping(None):
            assert kept_results() is None
        assert kept_results() is outer


def test_what_determines_a_unit_finds_its_result():
    with keeping(MemoryResults()):
        assert Unit.of("work", 1, "a").get(lambda: "made") == "made"
        assert Unit.of("called otherwise", 1, "a").find() == "made"
        assert Unit.of("work", 1, "b").find() is MISSING
        assert Unit.of("work", 1, "a").part("p").find() is MISSING
        Unit.of("work", 1, "a").part("p").add("part")
        assert Unit.of("work", 1, "a").part("p").find() == "part"


def test_units_that_nothing_tells_apart_are_never_taken_for_each_other(tmp_path):
    secret = (number for number in [1])
    with keeping(MemoryResults()):
        Unit.of("work", secret).part(1).add("made")
        assert Unit.of("work", secret).part(1).find() is MISSING
    with keeping(FolderResults(tmp_path)), pytest.warns(UserWarning, match="work is not kept"):
        assert Unit.of("work", secret).get(lambda: 1) == 1


def test_work_in_another_thread_knows_where_to_keep(tmp_path):
    """Blocks are not handed on to threads and processes of joblib, units are."""
    seen = []

    def make():
        seen.append((kept_results().folder, unfinished_results().folder.parent))
        return 1

    with keeping(FolderResults(tmp_path)):
        unit = pickle.loads(pickle.dumps(Unit.of("work", 1)))
    thread = threading.Thread(target=unit.get, args=(make,))
    thread.start()
    thread.join()
    assert seen == [(tmp_path, tmp_path)]
    assert unit.find() == 1
