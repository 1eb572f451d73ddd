"""Showing how far a fit is: a bar for all of it, or a line per epoch."""

import multiprocessing
import threading
from contextlib import contextmanager

from . import _clock

#: Whoever shows a bar holds it. There is one bar at a time in a process: fits inside a fit that shows one are silent.
_shown = threading.Lock()


class Watchers:
    """Those who are told about the training of networks.

    A watcher has the methods of this class. Networks go by index; several are in training at once where they are
    trained together.

    Parameters
    ----------
    watchers : list of object
    """

    def __init__(self, watchers=()):
        self._watchers = list(watchers)

    def begin(self, index, n_epochs):
        """Tell that the training of a network begins, which takes so many epochs at most."""
        for watcher in self._watchers:
            watcher.begin(index, n_epochs)

    def begin_epoch(self, index):
        """Tell that the next epoch of a network begins."""
        for watcher in self._watchers:
            watcher.begin_epoch(index)

    def end_epoch(self, index, logs, values):
        """Tell that an epoch is over; return whether somebody wants the training of this network to stop.

        Parameters
        ----------
        index : int
        logs : dict of str to float
            Loss and metrics.
        values : callable
            Returns the present values of the network.
        """
        answers = [watcher.end_epoch(index, logs, values) for watcher in self._watchers]
        return any(answers)

    def end(self, index):
        """Tell that the training of a network is over."""
        for watcher in self._watchers:
            watcher.end(index)


class Counting:
    """Counts the epochs of each network in training, for a subclass to ``_show`` after each of them.

    Parameters
    ----------
    n_fits : int, default=1
        How many fits there are in all: of the network on all rows, then of those on the rows of each fold.
    fits : list of str, default=("",)
        What the fits of each network are called, of which there may be several: index ``n * i + j`` is fit i of network
        j, of n.
    """

    def __init__(self, n_fits=1, fits=("",)):
        self._n_fits, self._fits = n_fits, fits
        self._epochs = {}
        self._running = {}

    def begin(self, index, n_epochs):
        """See Watchers."""
        self._epochs[index] = 0, n_epochs
        self._running[index] = {}

    def begin_epoch(self, index):
        """See Watchers."""

    def end_epoch(self, index, logs, values):
        """See Watchers."""
        done, n_epochs = self._epochs[index]
        self._epochs[index] = done + 1, n_epochs
        self._running[index] = logs
        self._show(index)
        return False

    def end(self, index):
        """See Watchers."""
        del self._running[index]

    def _which(self, index):
        n_networks = self._n_fits // len(self._fits)
        fit, fold = divmod(index, n_networks)
        folds = [f"fold {fold} of {n_networks - 1}" if fold else "all rows"] if n_networks > 1 else []
        return [*filter(None, [self._fits[fit]]), *folds]


class Lines(Counting):
    """Prints a line for each epoch of each network."""

    def _show(self, index):
        epoch = "Epoch {}/{}".format(*self._epochs[index])
        losses = [f"{name}: {value:.4g}" for name, value in self._running[index].items()]
        print(" - ".join([*self._which(index), epoch, *losses]), flush=True)


class Bar(Counting):
    """A bar for a fit of one or more stages, each of which fits one or more estimators.

    The unit of the bar is such a fit, of which an epoch is a part. How many epochs it takes is known at its end only.

    Parameters
    ----------
    title : str
        Stands beside the bar until there is something else to tell, and after the last of several stages.
    n_fits : int
        In all stages.
    console : rich.console.Console
    """

    def __init__(self, title, n_fits, console):
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        super().__init__(n_fits)
        self._progress = Progress(
            BarColumn(20),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeRemainingColumn(elapsed_when_finished=True),
            # Last, where it may change in length; what does not fit into the line is cut off.
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console,
            refresh_per_second=5,
        )
        self._title, self._stage, self._following = title, "", ""
        self._done, self._total = 0, n_fits
        self._row = self._progress.add_task(title, total=n_fits)
        self._is_live = console.is_terminal or console.is_jupyter
        self._started = self._began = _clock.now()
        #: What came of the present stage, as text.
        self.outcome = ""

    def start(self):
        """Begin to draw."""
        self._progress.start()

    def stop(self):
        """Leave the bar as it is and the terminal as it was."""
        self._progress.stop()

    @contextmanager
    def stage(self, name, n_fits, following="", is_guide=True):
        """Show the name of a stage for a block in which so many estimators are fitted, and what comes next.

        The line at its end says how much time is left, unless what has been fitted is no guide to that.
        """
        before, self._began = self._done, _clock.now()
        self._stage, self._following, self.outcome = name, following, ""
        self._n_fits, self._fits, self._epochs = n_fits, ("",), {}
        self._update()
        yield
        self._done, self._epochs = before + n_fits, {}  # also where fits were found in a cache
        if self._done == self._total:
            self._stage = self._following = ""
        self._update()
        if following or not self._is_live:  # where nothing moves, this is all that can be seen until the end
            self._tell(name, is_guide)

    def _tell(self, stage, is_guide):
        """Print a line about a stage that is over."""
        took, so_far = _clock.now() - self._began, _clock.now() - self._started
        parts = [f"{stage} took {_clock.duration(took)}", *([self.outcome] if self.outcome else [])]
        share = self._done / self._total
        left = f", about {_clock.duration(so_far * (1 / share - 1))} left" if self._following and is_guide else ""
        following = [f"next: {self._following}"] if self._following else []
        line = "; ".join([f"{', '.join(parts)} ({share:.0%} done{left})", *following])
        if self._is_live:
            self._progress.console.print(line, markup=False, highlight=False)
        else:
            print(f"[{self._title}] {line}", flush=True)

    def end(self, index):
        """See Watchers."""
        super().end(index)
        self._finish(index)

    def divide(self, fits):
        """Take note of what the fits of each network of the stage are called."""
        self._fits = fits

    def fitted(self, index):
        """Tell that an estimator without epochs has been fitted."""
        self._finish(index)
        self._update(f"{len(self._epochs)} of {self._n_fits} fits")

    def evaluated(self, index, text):
        """Tell that a part without epochs is over, and what stands beside the bar from now on."""
        self._finish(index)
        self._update(text)

    def _finish(self, index):
        self._epochs[index] = 1, 1
        self._progress.update(self._row, completed=self._completed())

    def _completed(self):
        return self._done + self._of_stage()

    def _of_stage(self):
        """Return how many fits of the present stage are over, parts of them included."""
        return sum(done / n_epochs for done, n_epochs in self._epochs.values())

    def _update(self, *details):
        """Show what runs, how long it will take, what is next, and then what may be cut off."""
        stage = self._stage
        if self._following:
            stage = f"{stage} ({', '.join([*self._time_left(), f'then {self._following}'])})"
        text = ", ".join(filter(None, [stage, *details])) or self._title
        self._progress.update(self._row, description=text, completed=self._completed())

    def _time_left(self):
        share = self._of_stage() / self._n_fits
        return [f"{_clock.duration((_clock.now() - self._began) * (1 / share - 1))} left"] if 0 < share < 1 else []

    def _show(self, index):
        together = len(self._running) > 1
        epoch = "epoch {} of {}".format(*self._epochs[index])
        which = [f"{len(self._running)} fits together"] if together else self._which(index)
        logs = [logs for logs in self._running.values() if logs]
        losses = [
            f"{name} {sum(of_network[name] for of_network in logs) / len(logs):.4g}"
            for name in ("loss", "val_loss")
            if all(name in of_network for of_network in logs)
        ]
        self._update(*which, epoch, *losses)


@contextmanager
def showing_bar(title, n_fits, wanted):
    """Show a bar for a block, if it is wanted and there is none yet.

    Parameters
    ----------
    title : str
        What is fitted.
    n_fits : int
        How many estimators are fitted on the way.
    wanted : bool

    Yields
    ------
    bar : Bar or None
    """
    if not wanted or not _shown.acquire(blocking=False):
        yield None
        return
    try:
        bar = _started(Bar(title, n_fits, _console()))
        try:
            yield bar
        finally:
            if bar is not None:
                bar.stop()
    finally:
        _shown.release()


def _started(bar):
    from rich.errors import LiveError

    try:
        bar.start()
    except LiveError:  # the caller shows something else with rich, which before 14.1 leaves no room for a bar
        return None
    return bar


def _console():
    """Return where bars are drawn."""
    import rich
    from rich.console import Console

    # Worker processes share a terminal, where their bars would overwrite each other.
    in_worker = multiprocessing.current_process().name != "MainProcess"
    return Console(force_terminal=False) if in_worker else rich.get_console()
