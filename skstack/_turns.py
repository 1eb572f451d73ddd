"""Functions that take turns: each has a thread of its own, and one of them runs at a time, until it is over or waits.

Fits of a search ask for the training of networks one after the other. Where they take turns, what all of them ask for
is known before any of it is done, and networks that one program can train are trained by it together
(:mod:`skstack.training._gathering`). Nothing depends on how fast a thread is: who runs, and when what is asked for gets
done, follows from the order of the functions.
"""

import contextvars
import sys
import threading
import time
import warnings
from concurrent.futures import Future

_of_thread = threading.local()

#: Seconds between two looks at what others, such as another process, let a function wait for.
_PAUSE = 0.01


class _Abandoned(BaseException):
    """Ends a function whose result nobody waits for any more."""


def takes_turns():
    """Tell whether the running function takes turns with others."""
    return getattr(_of_thread, "turn", None) is not None


def ask(question):
    """Return the answer to a question that is put together with those of other functions; see :func:`run_in_turns`.

    Parameters
    ----------
    question : object

    Raises
    ------
    Exception
        The one that was given as the answer.
    """
    return _of_thread.turn.ask(question)


def wait_until(condition):
    """Wait until a condition holds, while other functions run.

    Parameters
    ----------
    condition : callable
        Returns whether it holds. It is called in another thread where the function takes turns, and not again once it
        has returned True.
    """
    if takes_turns():
        _of_thread.turn.wait_until(condition)
        return
    while not condition():
        time.sleep(_PAUSE)


def run_in_turns(functions, answer):
    """Run functions in turns and return their results.

    Parameters
    ----------
    functions : list of callable
        Each runs in a copy of the context of the caller until it is over, calls :func:`ask` or has to wait.
    answer : callable
        Is given a list of (question, future) pairs, in the order of the functions, as soon as no function can go on,
        and sets the result or the exception of each future. It runs in the thread of the caller.

    Returns
    -------
    results : list

    Raises
    ------
    Exception
        The first one of a function. The others end where they next ask or wait.
    """
    turns = [_Turn(function) for function in functions]
    try:
        for turn in turns:
            turn.go_on()
        while waiting := [turn for turn in turns if not turn.is_over]:
            _let_some_go_on(waiting, answer)
        return [turn.result for turn in turns]
    finally:
        for turn in turns:
            turn.abandon()


def _let_some_go_on(waiting, answer):
    free = [turn for turn in waiting if turn.condition is not None and turn.condition()]
    if not free:
        free = [turn for turn in waiting if turn.question is not None]
        answer([turn.question for turn in free])
    if not free:
        time.sleep(_PAUSE)
    for turn in free:
        turn.go_on()


class _Turn:
    """A function in a thread that runs when it is told to go on.

    Parameters
    ----------
    function : callable

    Attributes
    ----------
    is_over : bool
    result : object
        Of the function, when it is over.
    question : (object, Future) tuple or None
        What it waits for an answer to.
    condition : callable or None
        What it waits for.
    """

    def __init__(self, function):
        self._context, self._function = contextvars.copy_context(), function
        self._mine, self._others = threading.Semaphore(0), threading.Semaphore(0)
        self._thread, self._error, self._warnings = None, None, _Warnings()
        self._is_abandoned = False
        self.is_over, self.result, self.question, self.condition = False, None, None, None

    # --- in the thread of the caller ----------------------------------------------------------------------------------

    def go_on(self):
        """Let the function run until it is over or waits; raise what it raised."""
        self.question = self.condition = None
        outside = _Warnings()
        self._warnings.restore()
        try:
            if self._thread is None:
                # Those of an interrupted program do not keep it from ending.
                self._thread = threading.Thread(target=self._context.run, args=(self._run,), daemon=True)
                self._thread.start()
            else:
                self._mine.release()
            self._others.acquire()
        finally:
            self._warnings = _Warnings()
            outside.restore()
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def abandon(self):
        """End the function if it is not over."""
        if self.is_over or self._thread is None:
            return
        self._is_abandoned = True
        self._mine.release()
        self._thread.join()

    # --- in the thread of the function --------------------------------------------------------------------------------

    def _run(self):
        _of_thread.turn = self
        try:
            self.result = self._function()
        except _Abandoned:
            pass
        except BaseException as error:
            self._error = error
        finally:
            self.is_over = True
            del self._function  # and what it holds
            self._others.release()

    def ask(self, question):
        """See :func:`ask`."""
        future = Future()
        self.question = question, future
        self._let_others_run()
        return future.result()

    def wait_until(self, condition):
        """See :func:`wait_until`."""
        if not condition():
            self.condition = condition
            self._let_others_run()

    def _let_others_run(self):
        if not self._is_abandoned:  # a block that ends asks for something more
            self._others.release()
            self._mine.acquire()
        if self._is_abandoned:
            raise _Abandoned


class _Warnings:
    """The filters of warnings, and what shows them, as they are now.

    Blocks of ``warnings.catch_warnings`` in several threads would otherwise end in each other.
    """

    _NAMES = ("filters", "showwarning", "_showwarnmsg_impl")

    def __init__(self):
        self._state = {name: getattr(warnings, name) for name in self._NAMES}

    def restore(self):
        """Set them back."""
        if getattr(sys.flags, "context_aware_warnings", False):  # each thread has its own
            return
        for name, value in self._state.items():
            setattr(warnings, name, value)
        with warnings.catch_warnings():  # at its end, Python forgets what the filters before these had decided
            pass
