"""The benchmarks: their counting and judging, and every job on data so small that nothing is learned from its times."""

import importlib
import importlib.util
import inspect
import json
import os
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from benchmarks import (
    _stacks,
    _tables,
    bench_big_table,
    bench_cross_fitting,
    bench_images,
    bench_memory,
    bench_optuna,
    bench_search,
    boosting,
    defaults,
    houses,
    mixtures,
    quality,
    suggested,
)
from benchmarks.__main__ import AREAS, chosen, main
from benchmarks._comparison import Comparison, Figure, line
from benchmarks._flops import multiply_adds, training_flop
from benchmarks._job import ROOT, JobFailedError, run_here, run_in_child
from benchmarks._problems import build_cnn, build_gru, build_mlp, make_pictures, make_table, make_tokens
from benchmarks._report import notes, table
from skstack import MultimodalStackingClassifier, MultimodalStackingRegressor
from skstack._backend import keras
from skstack.datasets import make_houses

layers = keras.layers

TINY = {
    "n_samples": 40,
    "epochs": 1,
    "n_folds": 2,
    "n_outer": 2,
    "n_candidates": 1,
    "n_fits": 2,
    "n_members": 2,
    "n_peer_fits": 2,
    "n_trials": 2,
    "n_rounds": 1,
    "size": 32,
    "side": 16,
    "n_houses": 40,
}

COMPARISONS = {comparison.name: comparison for comparison in chosen([])}


def _sequential(shape, *parts):
    return keras.Sequential([keras.Input(shape), *parts])


# --- arithmetic ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (lambda: build_mlp(20, (64, 32)), 20 * 64 + 64 * 32 + 32),
        (lambda: build_mlp(20, (64,), dropout=0.5), 20 * 64 + 64),
        (lambda: build_gru(), 30 * 3 * (16 * 16 + 16 * 16) + 16),
        (
            lambda: build_cnn(16, (4, 8)),
            16 * 16 * 9 * 3 * 4 + 8 * 8 * 9 * 4 * 8 + 8,
        ),
        (lambda: _sequential((5, 3), layers.Dense(4)), 5 * 3 * 4),
        (lambda: _sequential((8, 8, 1), layers.Conv2D(2, 3, padding="valid", strides=2)), 3 * 3 * 9 * 2),
        (lambda: _sequential((3,), build_mlp(3, (7,))), 3 * 7 + 7),
        (lambda: _sequential((3,), layers.BatchNormalization(), layers.ReLU()), 0),
    ],
)
def test_multiply_adds_of_a_row_are_counted(network, expected):
    assert multiply_adds(network()) == expected


def test_layers_that_nobody_counted_are_refused():
    with pytest.raises(ValueError, match="LSTM"):
        multiply_adds(_sequential((5, 3), layers.LSTM(4)))


def test_training_takes_two_operations_for_each_of_three_products():
    assert training_flop(build_mlp(4, ()), n_rows=10) == 3 * 2 * 4 * 10


# --- both sides train the same network -------------------------------------------------------------------------------


def _network_of(stack):
    return stack.network.set_params(branches=stack.estimators)


@pytest.mark.parametrize(
    ("network", "build", "data"),
    [
        (
            lambda: _network_of(bench_cross_fitting.our_mlp_stack(1, 2)),
            lambda: build_mlp(20, bench_cross_fitting.HIDDEN),
            lambda: make_table(10)[:2],
        ),
        (lambda: _network_of(bench_cross_fitting.our_cnn_stack(1, 2)), build_cnn, lambda: make_pictures(4)),
        (lambda: _network_of(bench_cross_fitting.our_gru_stack(1, 2)), build_gru, lambda: make_tokens(10)),
        (
            lambda: bench_search.our_network(1),
            lambda: build_mlp(20, bench_search.HIDDEN, dropout=0.1),
            lambda: make_table(10)[:2],
        ),
        (
            bench_big_table.our_network,
            lambda: build_mlp(50, bench_big_table.HIDDEN),
            lambda: make_table(10, 50)[:2],
        ),
    ],
    ids=["mlp", "cnn", "gru", "search", "big table"],
)
def test_both_sides_train_the_same_weights(network, build, data):
    ours = network().initialize(*data()).model_
    peer = build()
    # An embedding for missing rows is ours alone, and without effect where none is missing.
    weights = [weight for weight in ours.trainable_weights if "missing_embedding" not in weight.path]
    assert [weight.shape for weight in weights] == [weight.shape for weight in peer.trainable_weights]
    assert multiply_adds(ours) == multiply_adds(peer)


# --- comparing -------------------------------------------------------------------------------------------------------


def _pairs(ours, peer, key="cold_s"):
    return [{"ours": {key: o}, "peer": {key: p}} for o, p in zip(ours, peer, strict=True)]


def test_ratios_are_taken_within_pairs():
    result = line(Figure("cold_s", "first"), _pairs([1.0, 2.0, 4.0], [10.0, 10.0, 80.0]))
    assert (result["ours"], result["peer"], result["n_pairs"]) == (2.0, 10.0, 3)
    assert result["times"] == 10.0  # not 10.0 / 2.0
    assert result["times_range"] == [5.0, 20.0]


@pytest.mark.parametrize(
    ("target", "met"),
    [
        ({}, None),
        ({"at_least": 5.0}, True),
        ({"at_least": 5.1}, False),
        ({"at_most": 2.0}, True),
        ({"at_most": 1.9}, False),
        ({"at_least": 5.0, "at_most": 1.9}, False),
        ({"at_least": 5.1, "at_most": 2.0}, False),
    ],
)
def test_targets_are_judged_on_medians(target, met):
    assert line(Figure("cold_s", "first", **target), _pairs([2.0], [10.0]))["met"] is met


def test_a_figure_that_a_side_lacks_is_not_judged():
    figure = Figure("mb_per_fit", "memory", at_least=1.0, at_most=0.1)
    result = line(figure, _pairs([None], [4.0], key="mb_per_fit"))
    assert (result["ours"], result["peer"], result["times"], result["met"]) == (None, 4.0, None, None)


def _outcome(**changes):
    pairs = [{"ours": {"cold_s": 2.0, "share": 0.5, "held_out_r2": 0.25}, "peer": {"cold_s": 10.0, "share": 0.1}}]
    lines = [line(Figure("cold_s", "first", at_least=6.0), pairs)]
    return {"name": "toy", "work": "toys", "peer": "others", "pairs": pairs, "lines": lines, **changes}


def _cells(text):
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in text.splitlines()]


def test_the_table_says_what_was_missed():
    heading, _, row = _cells(table([_outcome()]))
    assert heading[0] == "work"
    assert row == ["toys", "first", "others", "2 s", "10 s", "5 (n=1)", "6 x", "missed", "50.0% / 10.0%"]


def test_the_table_judges_nothing_in_quick_mode():
    assert _cells(table([_outcome()], quick=True))[2][7] == "not judged"


def test_the_table_and_the_notes_say_what_was_not_measured():
    outcomes = [{"name": "toy", "work": "toys", "peer": "others", "skipped": "torch not installed"}]
    assert _cells(table(outcomes))[2] == ["toys", "", "others", "", "", "", "", "skipped", ""]
    assert notes(outcomes) == "toy: torch not installed"


def test_the_notes_say_how_well_it_was_learned():
    assert notes([_outcome()]) == "toy: ours: R2 on held-out rows 0.250"


def test_the_fastest_setting_of_the_peer_is_kept(monkeypatch):
    calls = []

    def run(job, arguments, n_runs):
        calls.append((job, arguments))
        return {"cold_s": float(arguments.get("n_threads", 9))}

    monkeypatch.setattr("benchmarks._comparison.run_in_child", run)
    comparison = Comparison(
        name="toy",
        work="{n_samples} toys",
        peer="others",
        ours_job="ours",
        peer_job="peer",
        figures=(Figure("cold_s", "first"),),
        full={"n_samples": 7},
        quick={"n_samples": 1},
        peer_settings=({"n_threads": 2}, {"n_threads": 1}),
    )
    outcome = comparison.run(n_repeats=2)
    assert outcome["work"] == "7 toys"
    assert outcome["peer_setting"] == {"n_threads": 1}
    assert [job for job, _ in calls] == ["peer", "peer", "ours", "peer", "peer", "ours"]
    assert calls[3] == ("peer", {"n_samples": 7, "n_threads": 1})


# --- the command -----------------------------------------------------------------------------------------------------


def test_names_choose_areas_and_comparisons():
    assert [comparison.name for comparison in chosen(["gru", "start"])] == ["gru", "import", "first-fit"]
    assert len(COMPARISONS) == sum(len(module.COMPARISONS) for module in AREAS.values())


def test_unknown_names_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(["stak"])
    assert "no benchmark is called stak; there are cross_fitting" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMPARISONS)
def test_jobs_take_the_arguments_of_both_sizes(name):
    comparison = COMPARISONS[name]
    shared = {"folder": ""} if comparison.shared else {}
    for sizes in (comparison.full, comparison.quick):
        for job, settings in [(comparison.ours_job, {}), *((comparison.peer_job, s) for s in comparison.peer_settings)]:
            if job is None or sizes is None:
                continue
            extra = {"n_repeats": 1} if comparison.peer_job is None else {}
            _function(job, inspect.signature).bind(**sizes, **shared, **extra, **settings)


def _function(job, then):
    module, name = job.split(":")
    return then(getattr(importlib.import_module(f"benchmarks.{module}"), name))


def _run_start(monkeypatch, run, *options):
    monkeypatch.setattr("benchmarks._comparison.run_in_child", run)
    return main(["import", "--repeats", "2", *options])


def test_the_command_prints_a_table_and_writes_all_that_was_measured(monkeypatch, tmp_path, capsys):
    seconds = iter([0.1, 0.4, 0.4, 0.2])  # ours and peer, then peer and ours
    options = ["--json", str(tmp_path / "results.json")]
    status = _run_start(monkeypatch, lambda *job: {"cold_s": next(seconds)}, *options)
    assert status == 0
    assert "3 (2 to 4, n=2)" in capsys.readouterr().out
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["machine"]["keras"] == keras.__version__
    assert results["comparisons"][0]["pairs"][1] == {"ours": {"cold_s": 0.2}, "peer": {"cold_s": 0.4}}


def test_the_command_tells_of_jobs_that_failed(monkeypatch, capsys):
    def run(*job):
        raise JobFailedError("out of memory")

    assert _run_start(monkeypatch, run) == 1
    assert "import: out of memory" in capsys.readouterr().out


# --- jobs ------------------------------------------------------------------------------------------------------------


def test_a_job_runs_in_a_process_of_its_own():
    figures = run_in_child("bench_start:import_skstack", {}, 2)
    # Which of two such short runs is longer is for the machine to say.
    assert figures["cold_s"] > 0.0
    assert figures["warm_s"] > 0.0
    # The process of this test holds TensorFlow, which is no matter to the peak of another.
    assert figures["peak_mb"] is None or figures["peak_mb"] < 100


def test_a_job_that_fails_says_why():
    with pytest.raises(JobFailedError, match="unexpected keyword argument 'pace'"):
        run_in_child("bench_start:import_skstack", {"pace": 1}, 1)


def test_nothing_heavy_is_imported_before_the_clock_of_a_start():
    code = "import sys, benchmarks._job, benchmarks.bench_start; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_memory_is_judged_by_its_slope():
    assert bench_memory.slope([5.0, 7.0, 9.0]) == pytest.approx(2.0)
    assert bench_memory.slope([None, None]) is None


def test_photos_and_their_cache_are_deleted(monkeypatch):
    monkeypatch.setenv("SKSTACK_CACHE", "before")
    with bench_images.jpeg_folder(2) as arguments:
        folder = Path(arguments["folder"])
        with Image.open(folder / "photos" / "1.jpg") as photo:
            assert (photo.format, photo.size) == ("JPEG", (256, 256))
        assert Path(os.environ["SKSTACK_CACHE"]).parent == folder
    assert not folder.exists()
    assert os.environ["SKSTACK_CACHE"] == "before"


#: Their jobs differ from those of "stack" and "cnn" only in what they train and how often, and take longer:
#: ``python -m benchmarks --quick`` runs them.
LIKE_OTHERS = ("nested", "gru", "search")

JOBS = [
    pytest.param(comparison, job, {**setting}, id=f"{comparison.name}-{job.split(':')[1]}")
    for comparison in COMPARISONS.values()
    if not comparison.alone and comparison.quick is not None and comparison.name not in LIKE_OTHERS
    for job, setting in ((comparison.ours_job, {}), (comparison.peer_job, comparison.peer_settings[0]))
    if job is not None and (comparison.name == "stack" or job != "bench_cross_fitting:ours_mlp")
]


@contextmanager
def _untraced(job):
    """Let a peer run its functions as they are: tracing them takes much longer than training on so little data."""
    import tensorflow as tf

    try:
        tf.config.run_functions_eagerly("ours" not in job and "in_turns" not in job)
        yield
    finally:
        tf.config.run_functions_eagerly(False)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the peers are measured on TensorFlow")
@pytest.mark.filterwarnings("ignore:Even though the .tf.config.experimental_run_functions_eagerly. option is set")
@pytest.mark.parametrize(("comparison", "job", "setting"), JOBS)
def test_every_job_runs(comparison, job, setting, monkeypatch):
    missing = [name for name in comparison.needs if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{missing} are peers that only the extra 'benchmarks' installs")
    monkeypatch.setattr("benchmarks._job.matmul_flop_per_second", lambda: 1e9)
    for counting in (bench_memory, bench_optuna):
        monkeypatch.setattr(counting, "N_FIRST", 0)
    sizes = {name: TINY[name] for name in comparison.quick} | setting
    in_turns = {"n_repeats": 1} if comparison.peer_job is None else {}
    with comparison.shared(**sizes) if comparison.shared else nullcontext(in_turns) as extra, _untraced(job):
        figures = run_here(job, {**sizes, **extra}, 1)
    pairs = figures.get("pairs", [{"ours": figures, "peer": figures}])
    read = {name: value for pair in pairs for side in pair.values() for name, value in side.items()}
    keys = {figure.key for figure in comparison.figures} - {"warm_s"}
    assert all(np.isfinite(read[key]) for key in keys)
    assert read.get("share", 1.0) > 0.0


# --- mixtures ---------------------------------------------------------------------------------------------------------


def _out_of_fold(classifies):
    """Return what two base models predict in time order, the second of which knows little."""
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 120) if classifies else generator.normal(size=120)
    good = np.where(y == 1, 0.8, 0.2) if classifies else y + 0.3 * generator.normal(size=120)
    bad = generator.uniform(size=120) if classifies else 3.0 * generator.normal(size=120)
    predictions, fold = np.column_stack([good, bad]), np.arange(120) // 30
    predictions[fold == 0] = np.nan
    return {
        "names": np.array(["good", "bad"]),
        "predictions": predictions,
        "y": y,
        "groups": np.arange(120) // 2,
        "fits": np.array([fold < number for number in (1, 2, 3)]),
        "predicts": np.array([fold == number for number in (1, 2, 3)]),
    }


@pytest.mark.parametrize("classifies", [True, False])
def test_mixtures_are_judged_on_folds_that_they_were_not_fitted_to(classifies):
    result = mixtures.line("made up", _out_of_fold(classifies))
    assert (result["rows"], result["best member"]) == (60, "good")  # the folds after the first that was predicted
    assert result["best"] == (0.0, 0.0)
    difference, error = result["mean"]
    assert difference < -error < 0.0
    text = mixtures.shown([result])
    heading, _, row, worse, *_ = _cells(text)
    assert row[heading.index("mean")].endswith("*") and not row[heading.index("best")].endswith("*")
    assert worse[heading.index("mean")] == "1" and worse[heading.index("best")] == "0"


def test_predictions_of_base_models_are_kept(tmp_path, monkeypatch):
    def load():
        X, y, *_ = make_table(40)
        X, parts = (
            pd.DataFrame(X).add_prefix("x"),
            [("ridge", Ridge()), ("tree", DecisionTreeRegressor(random_state=0))],
        )
        return _stacks.Problem(X, y.astype(float), parts, {}, GroupKFold(3), np.arange(40) // 2)

    monkeypatch.setitem(mixtures.PROBLEMS, "made up", load)
    first = mixtures.out_of_fold("made up", tmp_path)
    monkeypatch.setitem(mixtures.PROBLEMS, "made up", None)
    again = mixtures.out_of_fold("made up", tmp_path)
    assert first["names"].tolist() == ["ridge", "tree"] and first["fits"].sum(axis=1).tolist() == [26, 26, 28]
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert np.isfinite(mixtures.line("made up", again)["nonnegative"]).all()


# --- quality and defaults ---------------------------------------------------------------------------------------------


def _made_up_table(classifies=False):
    generator = np.random.default_rng(0)
    X = pd.DataFrame({"length": generator.normal(size=60), "made in": generator.choice(["here", "there"], 60)})
    y = X["length"].to_numpy() + (X["made in"] == "here")
    return _tables.Table(X, (y > 0.5).astype(int) if classifies else y)


@pytest.mark.parametrize("classifies", [False, True])
def test_models_are_judged_on_the_rows_that_their_folds_hold_out(classifies, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(quality.TABLES, "made up", lambda: _made_up_table(classifies))
    monkeypatch.setitem(quality.MODELS, "forest", quality._sklearn("RandomForest", several=True, n_estimators=10))
    asked = ["--sets", "made up", "--models", "linear", "forest", "--cache", str(tmp_path)]
    quality.main(asked)
    monkeypatch.setitem(quality.TABLES, "made up", None)  # what has been predicted is found
    capsys.readouterr()
    main(["quality", *asked])
    shown = capsys.readouterr().out
    found = {
        ("made up", model, 0): dict(np.load(tmp_path / f"made up {model} 0.npz")) for model in ("linear", "forest")
    }
    scores, seconds, behind = quality.lines(found)
    assert 0.5 < scores.loc["made up", "forest"] <= 1.0
    assert (seconds.to_numpy() > 0).all()
    assert behind.loc["made up"].min() == 0.0 < behind.loc["made up"].max()
    assert f"{scores.loc['made up', 'linear']:.4f}" in shown


def test_a_row_that_no_fold_holds_out_does_not_count():
    predicted = np.array([0.0, np.nan, 1.0, 2.0])
    assert quality.score(np.array([0.0, 9.0, 1.0, 2.0]), predicted) == 1.0


def test_ours_gets_the_groups_and_the_branches_of_its_suggestion():
    table = _made_up_table()
    network = quality.MODELS["network"](table, 0)
    assert [name for name, _, _ in network.branches] == ["numbers", "categories"]
    assert quality.MODELS["stack"](table, 3).get_params()["random_state"] == 3
    levels = {name: quality.MODELS[name](table, 0).quality for name in ("stack_fast", "stack", "stack_best")}
    assert levels == {"stack_fast": "fast", "stack": "good", "stack_best": "best"}


def test_settings_of_networks_are_compared_with_the_first(monkeypatch, tmp_path, capsys):
    table = _made_up_table()
    quick = {"epochs": 1, "n_members": 1}
    monkeypatch.setitem(defaults.PROBLEMS, "wages", lambda: _stacks.table_problem(table.X, table.y))
    for name, numbers in (("default", {}), ("before", {"hidden": (2,)})):
        monkeypatch.setitem(defaults.SETTINGS, name, {"numbers": numbers, "network": quick})
    defaults.main(["--sets", "wages", "--settings", "default", "before", "--cache", str(tmp_path)])
    shown = capsys.readouterr().out
    first, second = (json.loads((tmp_path / f"wages {name} 0.json").read_text()) for name in ("default", "before"))
    assert f"{second['score'] - first['score']:.3f}" in shown


@pytest.mark.parametrize("classifies", [False, True])
def test_copies_of_boosting_are_averaged(classifies, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=400), "place": [f"p{n % 3}" for n in range(400)]})
    # A target with a heavy tail is learned as its logarithm.
    y = np.exp(2 * X["x"].to_numpy() + rng.normal(size=400))
    known = _tables.Table(X, (y > 1).astype(int) if classifies else y, splits=[(np.arange(300), np.arange(300, 400))])
    monkeypatch.setattr(boosting, "TABLES", {"drawn": lambda: known})
    monkeypatch.setattr(boosting, "N_COPIES", (1, 2))
    monkeypatch.setattr(sys, "argv", ["boosting"])
    boosting.main()
    found = boosting.measure(known)
    assert f"{found[2]:.3f}" in capsys.readouterr().out
    learner, columns = boosting._learner(known, known.y)
    learner.set_params(**{name: 0 for name in learner.get_params() if name.endswith("random_state")})
    learner.fit(X[columns][:300], known.y[:300])
    each, undo = boosting._predictions(learner, X[columns][300:], known)
    assert len(each) == 2 and not np.array_equal(*each)
    method = "predict_proba" if classifies else "predict"
    np.testing.assert_allclose(getattr(learner, method)(X[columns][300:]), undo(each.mean(axis=0)))
    assert found[2] == pytest.approx(quality.score(known.y[300:], undo(each.mean(axis=0))))
    assert found[1] == pytest.approx(np.mean([quality.score(known.y[300:], undo(one)) for one in each]))


@pytest.mark.parametrize("classifies", [False, True])
def test_base_models_are_left_out_one_by_one(classifies, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=300), "noise": rng.normal(size=300)})
    y = X["x"].to_numpy() + 0.3 * rng.normal(size=300)
    known = _tables.Table(X, (y > 0).astype(int) if classifies else y, splits=[(np.arange(200), np.arange(200, 300))])
    stack, model = (
        (MultimodalStackingClassifier, DecisionTreeClassifier)
        if classifies
        else (MultimodalStackingRegressor, DecisionTreeRegressor)
    )
    parts = [
        (name, model(max_depth=4, random_state=0), columns) for name, columns in (("good", ["x"]), ("bad", ["noise"]))
    ]
    monkeypatch.setitem(quality.MODELS, "stack", lambda table, seed: stack(parts, random_state=seed))
    monkeypatch.setattr(suggested, "TABLES", {"drawn": lambda: known})
    monkeypatch.setattr(sys, "argv", ["suggested"])
    suggested.main()
    found = suggested.measure(known)
    assert f"{found['stack']:.4f}" in capsys.readouterr().out
    fitted = quality.MODELS["stack"](known, 0).fit(X[:200], known.y[:200])
    predict = fitted.predict_proba if classifies else fitted.predict
    assert found["stack"] == pytest.approx(quality.score(known.y[200:], predict(X[200:])))
    # The mixture of what is left when the good one goes is the bad one.
    bad = model(max_depth=4, random_state=0).fit(X[["noise"]][:200], known.y[:200])
    alone = (bad.predict_proba if classifies else bad.predict)(X[["noise"]][200:])
    assert found["good"] == pytest.approx(found["stack"] - quality.score(known.y[200:], alone), abs=0.02)
    assert abs(found["bad"]) < 0.1


def test_houses_are_predicted_by_a_stack_that_is_told_nothing(tmp_path, monkeypatch, capsys):
    made = make_houses(tmp_path, n_houses=40, image_size=8, random_state=0)
    fits = []

    class Dear(MultimodalStackingRegressor):
        """Says twice the mean price, and remembers what it was fitted to."""

        def fit(self, X, y, groups):
            self.named_estimators_ = {"mean": None}
            self.price_ = 2 * np.exp(y).mean()
            fits.append((self.estimators, list(X), set(groups)))
            return self

        def predict(self, X):
            assert not fits[-1][2] & set(made.groups[X.index])
            return np.full(len(X), np.log(self.price_))

    monkeypatch.setattr(houses, "MultimodalStackingRegressor", Dear)
    monkeypatch.setattr(houses, "folder_of", lambda name: tmp_path)
    monkeypatch.setattr(sys, "argv", ["houses", "--seeds", "3", "--without-photos"])
    houses.main()
    assert [estimators for estimators, _, _ in fits] == 5 * [None]
    assert fits[0][1] == [name for name in made.data if name not in houses.ROOMS]
    expected = np.empty(len(made.data))
    for fitting, held_out in GroupKFold(5).split(made.data, groups=made.groups):
        expected[held_out] = 2 * made.target.iloc[fitting].mean() / made.target.iloc[held_out] - 1
    assert houses.measure(made, 3) == pytest.approx(np.abs(expected).mean())
    assert fits[-1][1] == list(made.data)
    assert "seed 3: MAPE" in capsys.readouterr().out
