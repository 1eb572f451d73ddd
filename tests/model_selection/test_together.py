"""Tasks of joblib that take turns."""

import pytest
from joblib import Parallel, delayed, parallel_config
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack._turns import takes_turns, wait_until
from skstack.model_selection import _together
from skstack.model_selection._together import together, trains_networks


def test_tasks_take_turns_and_come_back_in_their_order():
    begun = []

    def task(number):
        begun.append(number)
        wait_until(lambda: len(begun) >= 5)
        return number, takes_turns()

    with together(1):
        assert Parallel()(delayed(task)(number) for number in range(5)) == [(number, True) for number in range(5)]
        assert Parallel(n_jobs=1)(delayed(task)(number) for number in range(2)) == [(0, True), (1, True)]
    assert Parallel()([delayed(takes_turns)()]) == [False]


def test_so_many_go_on_at_once(monkeypatch):
    monkeypatch.setattr(_together, "_AT_ONCE", 2)
    begun, ended = [], []

    def task(number):
        begun.append(number)
        wait_until(lambda: len(begun) % 2 == 0)
        ended.append(len(begun))

    with together(1):
        Parallel()(delayed(task)(number) for number in range(4))
    assert ended == [2, 2, 4, 4]
    begun.clear()
    with together(1):
        Parallel(pre_dispatch=2)(delayed(begun.append)(number) for number in range(6))
    assert begun == list(range(6))


def test_an_error_ends_all_tasks():
    begun = []

    def task(number):
        begun.append(number)
        if number == 1:
            raise KeyError("gone")
        wait_until(lambda: False)

    with together(1), pytest.raises(KeyError, match="gone"):
        Parallel()(delayed(task)(number) for number in range(4))
    assert begun == [0, 1]


def test_tasks_inside_of_tasks_are_run_as_if_there_was_no_search():
    def task():
        return Parallel(n_jobs=2, prefer="threads")(delayed(takes_turns)() for _ in range(2))

    with together(1):
        assert Parallel()([delayed(task)()]) == [[False, False]]


def test_several_workers_share_the_tasks_by_the_backend_of_the_user():
    import threading

    def task():
        return threading.get_ident(), takes_turns()

    with parallel_config(backend="threading"), together(2):
        results = Parallel(n_jobs=2)(delayed(task)() for _ in range(4))
    assert [turns for _, turns in results] == [True] * 4


@pytest.mark.parametrize(
    ("estimator", "expected"),
    [
        (MultimodalNetworkRegressor(), True),
        (MultimodalStackingRegressor(), True),
        (make_pipeline(Ridge(), MultimodalNetworkRegressor()), True),
        (make_pipeline(Ridge()), False),
        (Ridge(), False),
        (object(), False),
    ],
)
def test_which_estimators_train_networks(estimator, expected):
    assert trains_networks(estimator) is expected
