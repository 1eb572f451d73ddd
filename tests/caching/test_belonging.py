"""A folder that belongs to one computation, and says why it is not for another."""

import os
import sys

import numpy as np
import pytest
from sklearn.ensemble import StackingRegressor
from sklearn.linear_model import Lasso, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skstack.caching._belonging import Record, facts_of_data, facts_of_parameters, read_record, take_folder

X, Y = np.zeros((4, 2)), np.zeros(4)


def _record(estimator=None, data=None, seed=0, what="a fit", **changed):
    estimator = make_pipeline(StandardScaler(), Ridge()) if estimator is None else estimator
    data = facts_of_data({"X": X, "y": Y} if data is None else data)
    record = Record(what, facts_of_parameters(estimator), data, seed)
    record.versions |= changed
    return record


class Mine(Ridge):
    """A learner whose code has changed since."""


def _other_code():
    mine = type("Mine", (Ridge,), {"__module__": __name__, "fit": lambda self, X, y: self})
    return make_pipeline(mine())


@pytest.fixture
def folder(tmp_path):
    take_folder(tmp_path / "new" / "checkpoint", _record(seed=3))
    return tmp_path / "new" / "checkpoint"


def test_the_same_goes_on_with_the_seed_of_the_first(folder):
    assert take_folder(folder, _record(seed=4)).seed == 3
    assert read_record(folder).seed == 3


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (_record(what="a search"), "belongs to a fit, not a search"),
        (
            _record(make_pipeline(StandardScaler(), Ridge(alpha=2.0))),
            r"belongs to a fit with ridge__alpha=1.0, not ridge__alpha=2.0",
        ),
        (
            _record(make_pipeline(StandardScaler(), Lasso())),
            r"with ridge=Ridge, lasso=nothing, not ridge=nothing, lasso=Lasso\.",
        ),
        (_record(make_pipeline(StandardScaler(with_mean=False), Ridge())), "with_mean=True, not .*with_mean=False"),
        (_record(data={"X": X, "y": Y + 1.0}), r"belongs to other data: y differs; it was y \(4 rows\)"),
        (
            _record(data={"X": X[:3], "y": Y[:3]}),
            r"other data: X, y differ; it was X \(4 rows, 2 columns\), y \(4 rows\), and is X \(3 rows, 2 columns\)",
        ),
        (
            _record(data={"X": X, "y": Y, "sample_weight": Y}),
            r"sample_weight differs; it was sample_weight \(nothing\), and is sample_weight \(4 rows\)",
        ),
        (_record(numpy="0.1"), rf"written with numpy {np.__version__}, not numpy 0\.1"),
    ],
)
def test_other_computations_are_refused_with_what_differs(folder, record, message):
    with pytest.raises(ValueError, match=message):
        take_folder(folder, record)
    assert take_folder(folder, _record()).seed == 3


def test_other_code_under_the_same_name_is_another_parameter(tmp_path):
    take_folder(tmp_path, _record(make_pipeline(Mine())))
    with pytest.raises(ValueError, match="belongs to a fit with other code or content of mine\\."):
        take_folder(tmp_path, _record(_other_code()))


def test_parameters_that_make_no_difference_and_what_is_inside_of_others():
    stack = StackingRegressor([("a", Ridge()), ("b", Lasso())], n_jobs=2)
    names = facts_of_parameters(stack).keys()
    assert {"n_jobs", "verbose"}.isdisjoint(names)
    assert {"a__alpha", "estimators", "cv"} <= names
    one, other = (facts_of_parameters(stack.set_params(a__alpha=alpha))["estimators"] for alpha in (1.0, 2.0))
    assert not one.differs_from(other)


def test_what_has_no_digest_is_taken_for_the_same(tmp_path):
    for _ in range(2):
        take_folder(tmp_path, _record(StackingRegressor([("a", Ridge())], cv=(split for split in [1]))))


def test_long_values_are_shortened(tmp_path):
    take_folder(tmp_path, _record(Ridge(alpha=np.arange(100.0))))
    with pytest.raises(ValueError, match=r"alpha=array\(\[ 0.*\.\.\., not alpha=1.0") as error:
        take_folder(tmp_path, _record(Ridge()))
    assert len(str(error.value)) < 400


def test_another_format_is_refused_and_damage_is_mended(folder):
    path = folder / "checkpoint.kept"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"result 1", b"result 2", 1))
    with pytest.raises(ValueError, match="another format of checkpoints"):
        take_folder(folder, _record())
    path.write_bytes(whole[:-5])
    assert take_folder(folder, _record(seed=5)).seed == 5
    assert read_record(folder).seed == 5


def test_a_folder_without_a_record_belongs_to_nothing(tmp_path):
    (tmp_path / "mine.txt").write_text("foreign")
    assert read_record(tmp_path) is None
    take_folder(tmp_path, _record())
    assert sorted(os.listdir(tmp_path)) == ["checkpoint.kept", "mine.txt"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"checkpoint folder .* cannot be used"):
        take_folder(tmp_path / "file" / "inside", _record())


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_an_error_though_it_could_be_read(folder):
    folder.chmod(0o500)
    try:
        with pytest.raises(OSError, match="cannot be used"):
            take_folder(folder, _record())
    finally:
        folder.chmod(0o700)
