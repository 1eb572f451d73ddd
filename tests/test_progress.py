"""Bars and lines that show how far a fit is."""

import io
import itertools
import multiprocessing
import re

import numpy as np
import pytest
import rich.progress
from _clocks import FakeClock, Slow
from _problems import N_ROWS, BatchHook, assert_same, job_of, make_data, settings_of, train
from _small import branches, make_table, network_regressor, stack_regressor
from rich.console import Console
from sklearn.linear_model import Ridge

from skstack import _progress
from skstack._backend import keras
from skstack._progress import Bar, Lines, Watchers, showing_bar

X, Y = make_table()
SPLITS = [np.arange(24), np.arange(24, 48)]
CONTROL = re.compile(r"\x1b\[[?\d]*[A-Za-z]")
SHOW_CURSOR = "\x1b[?25h"


class Screen:
    """A console without a device, and what happens to the bars on it."""

    def __init__(self, monkeypatch, is_terminal):
        self.file = io.StringIO()
        self.console = Console(file=self.file, force_terminal=is_terminal, width=120, color_system=None)
        self.totals, self.texts, self.completed = [], [], []
        monkeypatch.setattr(_progress, "_console", lambda: self.console)
        add_task, update = rich.progress.Progress.add_task, rich.progress.Progress.update

        def recorded_add(progress, description, **options):
            self.totals.append(options["total"])
            return add_task(progress, description, **options)

        def recorded_update(progress, task, **options):
            self.completed.append(options["completed"])
            self.texts.append(options.get("description", ""))
            return update(progress, task, **options)

        monkeypatch.setattr(rich.progress.Progress, "add_task", recorded_add)
        monkeypatch.setattr(rich.progress.Progress, "update", recorded_update)

    @property
    def last_line(self):
        """What is left on the screen at the end, without control codes."""
        return CONTROL.sub("", self.file.getvalue()).replace("\r", "\n").rstrip().split("\n")[-1]


@pytest.fixture
def screen(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    return Screen(monkeypatch, is_terminal=True)


@pytest.fixture
def log_file(monkeypatch):
    return Screen(monkeypatch, is_terminal=False)


def without_numbers(text):
    return re.sub(r"(?<=loss)(:?) [\d.e+-]+", r"\1 n", text)


def without_times(text):
    return re.sub(r"[\d.]+ s\b", "n s", re.sub(r"r2 [\d.-]+", "r2 n", text))


# --- what a bar shows ------------------------------------------------------------------------------------------------


def test_a_network_shows_one_bar_with_epochs_and_losses(screen):
    network_regressor(epochs=2, early_stopping=True, verbose=1).fit(X, Y)
    assert screen.totals == [1]
    assert [without_numbers(text) for text in screen.texts if text] == [
        "epoch 1 of 2, loss n, val_loss n",
        "epoch 2 of 2, loss n, val_loss n",
    ]
    assert screen.completed == [0.5, 1, 1]
    assert "100% 0:00:0" in screen.last_line and "epoch 2 of 2, loss" in screen.last_line


def test_early_stopping_finishes_the_bar(screen):
    network = network_regressor(
        epochs=9, early_stopping=True, patience=1, optimizer="sgd", optimizer__learning_rate=0.0, verbose=1
    ).fit(X, Y)
    n_epochs = len(network.history_["loss"])
    assert n_epochs < 9
    assert screen.completed[-2:] == [pytest.approx(n_epochs / 9), 1]
    assert "100%" in screen.last_line and f"epoch {n_epochs} of 9" in screen.last_line


def test_further_fits_and_partial_fits_count_their_own_epochs(screen):
    network = network_regressor(epochs=2, warm_start=True, verbose=1).fit(X, Y)
    network.partial_fit(X, Y)
    assert screen.totals == [1, 1]
    assert screen.texts[-2].startswith("epoch 1 of 1, loss")


@pytest.mark.parametrize("vectorized", [True, False])
def test_epochs_of_all_folds_fill_the_bar(screen, vectorized):
    data = make_data()
    jobs = [job_of(data, rows=np.arange(index, N_ROWS)) for index in range(3)]
    for index, job in enumerate(jobs):
        job.index = index
    bar = Bar("title", 3, screen.console)
    train(jobs, settings_of(), vectorized=vectorized, epochs=2, watchers=Watchers([bar]))
    assert screen.completed == sorted(screen.completed) and screen.completed[-1] == 3
    texts = [without_numbers(text) for text in screen.texts if text]
    if vectorized:
        assert set(texts) == {"3 fits together, epoch 1 of 2, loss n", "3 fits together, epoch 2 of 2, loss n"}
    else:
        parts = itertools.product(["all rows", "fold 1 of 2", "fold 2 of 2"], [1, 2])
        assert texts == [f"{which}, epoch {epoch} of 2, loss n" for which, epoch in parts]


def test_networks_trained_together_show_their_mean_loss(screen):
    bar = Bar("title", 2, screen.console)
    for index in range(2):
        bar.begin(index, 5)
    for index, loss in enumerate([1.0, 4.0]):
        bar.end_epoch(index, {"loss": loss, "mae": 7.0}, None)
    assert screen.texts[-1] == "2 fits together, epoch 1 of 5, loss 2.5"
    bar.end(1)
    bar.end_epoch(0, {"loss": 0.5, "mae": 7.0}, None)
    assert screen.texts[-1] == "all rows, epoch 2 of 5, loss 0.5"
    assert screen.completed[-1] == pytest.approx(1 + 2 / 5)


def test_a_stack_shows_one_bar_for_all_its_stages(screen):
    stack_regressor(training="individual", verbose=1).fit(X, Y)
    assert screen.totals == [3 * 3 + 1]
    assert screen.completed == sorted(screen.completed) and screen.completed[-1] == 10
    texts = list(dict.fromkeys(without_times(text.split(", loss")[0]) for text in screen.texts if text))
    headings = ["ridge (then numbers)", "numbers (then place)", "place (then final estimator)", "final estimator"]
    places = [texts.index(heading) for heading in headings]
    assert places == sorted(places)
    fits = [text.rpartition(", ")[2] for text in texts if text.startswith("ridge") and text.endswith("fits")]
    assert fits == ["1 of 3 fits", "2 of 3 fits", "3 of 3 fits"]
    assert {text.split(", ")[-1] for text in texts if text.startswith("numbers (n s left")} == {"epoch 1 of 1"}
    assert screen.last_line.endswith("MultimodalStackingRegressor")


def test_what_runs_how_long_it_takes_and_what_is_next(screen, monkeypatch):
    clock = FakeClock(monkeypatch)
    bar = Bar("stack", 7, screen.console)
    with bar.stage("network", 4, "ridge"):
        for index in range(4):
            bar.begin(index, 5)
        clock.sleep(10.0)
        for index in range(4):
            bar.end_epoch(index, {"loss": 1.0}, None)
        assert screen.texts[-1] == "network (40 s left, then ridge), 4 fits together, epoch 1 of 5, loss 1"
    with bar.stage("ridge", 2, "final estimator"):
        clock.sleep(0.5)
        bar.fitted(0)
        assert screen.texts[-1] == "ridge (0.5 s left, then final estimator), 1 of 2 fits"


def test_a_finished_base_model_gets_a_line_above_the_bar(screen):
    stack_regressor(verbose=1).fit(X, Y)
    lines = [
        without_times(line)
        for line in re.split(r"[\r\n]+", re.sub(r"\x1b\[[?\d]*[A-Za-z]", "", screen.file.getvalue()))
    ]
    # How long a learner took says nothing of the network.
    assert "ridge took n s, out-of-fold r2 n (43% done); next: network" in lines
    assert "network took n s, out-of-fold r2 n (86% done, about n s left); next: final estimator" in lines


def test_stages_found_in_a_cache_count_in_full(screen, tmp_path):
    stack = stack_regressor([("a", Ridge(), ["area"]), ("b", Ridge(), ["rooms"])], memory=str(tmp_path), verbose=1)
    for _ in range(2):
        stack.fit(X, Y)
        assert screen.completed[-1] == 7
        assert "100%" in screen.last_line


def test_cross_fitting_alone_shows_one_bar(screen):
    list(network_regressor(verbose=1).cross_fit(X, Y, SPLITS))
    assert screen.totals == [3]
    assert screen.completed[-1] == 3


@pytest.mark.parametrize("fold_training", ["vectorized", "sequential"])
def test_fits_of_several_stages_fill_the_bar_and_are_named(screen, fold_training):
    parts = [("area", branches()[0][1], ["area"]), ("rooms", branches()[0][1], ["rooms"])]
    staged = {"stages": "individual+joint", "fold_training": fold_training}
    list(network_regressor(parts, **staged, verbose=1).cross_fit(X, Y, SPLITS))
    assert screen.totals == [9]
    assert screen.completed == sorted(screen.completed) and screen.completed[-1] == 9
    texts = {text.split(", epoch")[0] for text in screen.texts if text}
    if fold_training == "vectorized":
        assert {"6 fits together", "3 fits together"} <= texts
    else:
        assert texts == {
            f"stage {stage}, {fold}"
            for stage in ("1, area", "1, rooms", "2, joint")
            for fold in ("all rows", "fold 1 of 2", "fold 2 of 2")
        }


def test_a_stack_counts_the_stages_of_its_networks(screen):
    stack_regressor(training="individual+joint", individual_predictions=True, verbose=1).fit(X, Y)
    assert screen.totals == [3 * 3 + 3 + 1]
    assert screen.completed == sorted(screen.completed) and screen.completed[-1] == 13


def test_names_are_no_markup(screen):
    with showing_bar("[red]numbers[/red]", 1, True):
        pass
    assert "[red]numbers[/red]" in screen.last_line


# --- where bars are shown --------------------------------------------------------------------------------------------


def test_fits_are_silent_by_default(capfd):
    network_regressor().fit(X, Y)
    list(network_regressor().cross_fit(X, Y, SPLITS))
    network_regressor(callbacks=[BatchHook()]).fit(X, Y)
    stack_regressor().fit(X, Y)
    assert capfd.readouterr() == ("", "")


def test_a_file_gets_one_line_per_fit(log_file, capsys):
    network_regressor(epochs=3, verbose=1).fit(X, Y)
    assert capsys.readouterr().out == ""
    (line,) = log_file.file.getvalue().splitlines()
    assert "100%" in line and "epoch 3 of 3, loss" in line


def test_a_file_gets_a_line_per_stage_of_a_stack(log_file, capsys):
    stack_regressor(verbose=1).fit(X, Y)
    name = "[MultimodalStackingRegressor]"
    assert [without_times(line) for line in capsys.readouterr().out.splitlines()] == [
        f"{name} ridge took n s, out-of-fold r2 n (43% done); next: network",
        f"{name} network took n s, out-of-fold r2 n (86% done, about n s left); next: final estimator",
        f"{name} final estimator took n s (100% done)",
    ]
    assert len(log_file.file.getvalue().splitlines()) == 1


def test_scores_in_lines_are_those_of_the_report(log_file, capsys):
    weight = np.linspace(0.1, 2.0, len(Y))
    stack = stack_regressor(verbose=1).fit(X, Y, sample_weight=weight)
    shown = re.findall(r"(\w+) took .*?, out-of-fold r2 ([\d.-]+)", capsys.readouterr().out)
    scores = stack.stack_report_.loc["base model", "score"]
    assert dict(shown) == {name: f"{score:.4g}" for name, score in scores.items()}


def test_a_file_tells_what_is_left_out(log_file, capsys, monkeypatch):
    FakeClock(monkeypatch)
    parts = [("quick", Slow(0.0), ["area"]), ("slow", Slow(4.0), ["area"])]
    with pytest.warns(UserWarning, match="left out"):
        stack_regressor(parts, verbose=1, time_limit=3.0).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    name = "[MultimodalStackingRegressor]"
    assert lines[1].startswith(f"{name} slow took 0.0 s, left out: it would take 3.8 s more (86% done, ")


def test_worker_processes_draw_nothing_that_moves(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(multiprocessing.current_process(), "_name", "LokyProcess-1")
    assert not _progress._console().is_terminal


def test_a_bar_inside_a_bar_is_silent(screen):
    with showing_bar("outer", 1, True) as outer:
        assert outer is not None
        network_regressor(verbose=1).fit(X, Y)
        with showing_bar("inner", 1, True) as inner:
            assert inner is None
    assert screen.totals == [1]
    network_regressor(verbose=1).fit(X, Y)
    assert len(screen.totals) == 2


def test_a_fit_inside_another_display_of_rich_works(screen):
    with rich.progress.Progress(console=screen.console) as progress:
        progress.add_task("outer", total=1)
        network_regressor(verbose=1).fit(X, Y)
    assert "outer" in screen.file.getvalue()


class _Breaking(keras.callbacks.Callback):
    """Raises after an epoch."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def on_epoch_end(self, epoch, logs=None):
        """Raise."""
        raise self.error


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt()])
def test_errors_leave_the_terminal_in_order(screen, error):
    with pytest.raises(type(error)):
        network_regressor(verbose=1, callbacks=[_Breaking(error)]).fit(X, Y)
    assert screen.file.getvalue().rstrip().endswith(SHOW_CURSOR)
    assert "100%" not in screen.file.getvalue()
    with showing_bar("next", 1, True) as bar:
        assert bar is not None


def test_a_cross_fit_that_is_given_up_ends_its_bar(screen):
    fitted = network_regressor(verbose=1).cross_fit(X, Y, SPLITS)
    next(fitted)
    fitted.close()
    assert screen.file.getvalue().rstrip().endswith(SHOW_CURSOR)


# --- lines -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("callbacks", [[], [BatchHook()]], ids=["fast", "keras"])
def test_two_prints_a_line_per_epoch_on_either_path(capsys, callbacks):
    network_regressor(epochs=2, early_stopping=True, callbacks=callbacks, verbose=2).fit(X, Y)
    assert [without_numbers(line) for line in capsys.readouterr().out.splitlines()] == [
        "Epoch 1/2 - loss: n - val_loss: n",
        "Epoch 2/2 - loss: n - val_loss: n",
    ]


def test_lines_name_the_fold_and_every_metric(capsys):
    lines = Lines(3)
    for index in (0, 2):
        lines.begin(index, 4)
        lines.end_epoch(index, {"loss": 0.123456, "mae": 20.0}, None)
        lines.end(index)
    assert capsys.readouterr().out.splitlines() == [
        "all rows - Epoch 1/4 - loss: 0.1235 - mae: 20",
        "fold 2 of 2 - Epoch 1/4 - loss: 0.1235 - mae: 20",
    ]


# --- watchers --------------------------------------------------------------------------------------------------------


class _Recorder:
    """Keeps what it is told, and wants a network to stop after its first epoch."""

    def __init__(self, stops=None):
        self.stops, self.told, self.values = stops, [], {}

    def begin(self, index, n_epochs):
        """Take note."""
        self.told.append(("begin", index, n_epochs))

    def begin_epoch(self, index):
        """Take note."""
        self.told.append(("begin_epoch", index))

    def end_epoch(self, index, logs, values):
        """Take note and answer."""
        self.told.append(("end_epoch", index))
        self.values[index] = values()
        return index == self.stops

    def end(self, index):
        """Take note."""
        self.told.append(("end", index))


def _jobs():
    data = make_data()
    jobs = [job_of(data, rows=np.arange(index, N_ROWS), seed=index) for index in range(3)]
    for index, job in enumerate(jobs):
        job.index = index
    return jobs


@pytest.mark.parametrize(
    "options",
    [{"vectorized": True}, {"vectorized": False}, {"callbacks": [BatchHook()]}],
    ids=["vectorized", "alone", "keras"],
)
def test_watchers_see_every_epoch_and_may_end_the_training_of_one_network(options):
    recorder = _Recorder(stops=1)
    trained = train(_jobs(), settings_of(), epochs=3, watchers=Watchers([recorder]), **options)
    epochs = [3, 1, 3]
    assert [len(each.history["loss"]) for each in trained] == epochs
    for index, n_epochs in enumerate(epochs):
        told = [name for name, of, *_ in recorder.told if of == index]
        assert told == ["begin", *["begin_epoch", "end_epoch"] * n_epochs, "end"]
        for name, one in recorder.values[index].items():
            np.testing.assert_array_equal(one, trained[index].values[name])
    (alone,) = train([_jobs()[1]], settings_of(), epochs=1)
    assert_same(alone, trained[1])


def test_one_who_wants_to_stop_is_enough_and_all_are_told():
    recorders = [_Recorder(stops=0), _Recorder()]
    trained = train(_jobs()[:1], settings_of(), epochs=3, watchers=Watchers(recorders))
    assert len(trained[0].history["loss"]) == 1
    assert recorders[0].told == recorders[1].told


def test_folds_of_another_architecture_keep_their_index(screen):
    city = X["city"].where(np.arange(len(X)) < 24, "Dresden")  # fold 1 sees fewer categories than the others
    network = network_regressor(branches(), verbose=1)  # the network for that fold is smaller, and trained by itself
    assert len(list(network.cross_fit(X.assign(city=city), Y, [np.arange(24, 48), np.arange(48)]))) == 3
    assert screen.completed[-1] == 3
    assert [text.split(", loss")[0] for text in screen.texts if text][-1] == "fold 1 of 2, epoch 1 of 1"
