"""Functions that take turns."""

import threading
import warnings
from contextvars import ContextVar

import pytest

from skstack._turns import ask, run_in_turns, takes_turns, wait_until


def _doubled(questions):
    for question, future in questions:
        future.set_result(2 * question)


def test_results_come_in_the_order_of_the_functions():
    assert run_in_turns([lambda: 1, lambda: ask(2), lambda: ask(ask(3))], _doubled) == [1, 4, 12]


def test_what_all_ask_for_is_known_before_any_of_it_is_answered():
    rounds = []

    def answer(questions):
        rounds.append([question for question, _ in questions])
        _doubled(questions)

    run_in_turns([lambda: ask(ask(1)), lambda: None, lambda: ask(10)], answer)
    assert rounds == [[1, 10], [2]]


def test_one_function_runs_at_a_time_and_in_its_order():
    told = []

    def function(name):
        told.append(f"{name} begins")
        ask(0)
        told.append(f"{name} ends")

    run_in_turns([lambda: function("a"), lambda: function("b")], _doubled)
    assert told == ["a begins", "b begins", "a ends", "b ends"]


def test_an_answer_can_be_an_error():
    def answer(questions):
        for question, future in questions:
            future.set_exception(ValueError(f"not {question}"))

    def function():
        try:
            ask("this")
        except ValueError as error:
            return str(error)

    assert run_in_turns([function], answer) == ["not this"]


def test_an_error_ends_the_other_functions_where_they_wait():
    ended = []

    def waiting():
        try:
            ask(1)
        finally:
            ended.append(threading.current_thread())
            ask(2)  # a block that ends asks for more

    def failing():
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        run_in_turns([waiting, failing, waiting], _doubled)
    assert len(ended) == 1  # the last one never began
    assert not ended[0].is_alive()


def test_an_error_of_the_answer_ends_all():
    def answer(questions):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_in_turns([lambda: ask(1)] * 3, answer)
    assert threading.active_count() == 1 or not any("run" in thread.name for thread in threading.enumerate()[1:])


def test_a_function_waits_while_others_run():
    there = []

    def first():
        wait_until(lambda: bool(there))
        return list(there)

    def second():
        ask(1)
        there.append("it")

    assert run_in_turns([first, second], _doubled) == [["it"], None]


def test_a_condition_that_holds_is_asked_once():
    asked = []

    def condition():
        asked.append(len(asked))
        return len(asked) == 3

    run_in_turns([lambda: wait_until(condition)], _doubled)
    wait_until(iter([False, True]).__next__)
    assert asked == [0, 1, 2]


def test_each_runs_in_a_copy_of_the_context_of_the_caller():
    variable = ContextVar("variable", default="nothing")
    variable.set("from outside")

    def function(value):
        before = variable.get()
        variable.set(value)
        ask(0)
        return before, variable.get()

    results = run_in_turns([lambda: function("a"), lambda: function("b")], _doubled)
    assert results == [("from outside", "a"), ("from outside", "b")]
    assert variable.get() == "from outside"


def test_only_functions_in_turns_take_turns():
    assert run_in_turns([takes_turns], _doubled) == [True]
    assert not takes_turns()


def test_filters_of_warnings_are_those_of_each_function():
    before = list(warnings.filters)

    def function(action):
        with warnings.catch_warnings():
            warnings.simplefilter(action)
            ask(0)
            try:
                warnings.warn("careful", stacklevel=1)
            except UserWarning:
                return "an error"
            return "ignored"

    functions = [lambda: function("error"), lambda: function("ignore"), lambda: function("error")]
    assert run_in_turns(functions, _doubled) == ["an error", "ignored", "an error"]
    assert warnings.filters == before
