"""Cross-fitting: a stack of one network, trained once per fold and once on all rows.

The networks of both sides have the same layers, optimizer, epochs and batches, neither stops early, and RidgeCV is the
final estimator of both stacks. What is judged is the first fit in a fresh process, which for us includes compiling;
nothing that a peer compiles outlives its fit.
"""

from dataclasses import replace

import numpy as np

from ._comparison import Comparison, cold, warm
from ._flops import training_flop
from ._job import Job
from ._problems import (
    build_cnn,
    build_gru,
    build_mlp,
    keras_fit,
    load_keras,
    make_pictures,
    make_table,
    make_tokens,
    token_features,
)
from ._settings import PLAIN_BRANCH, PLAIN_NETWORK

HIDDEN, BATCH_SIZE, CNN_BATCH_SIZE = (64, 32), 64, 32


def _rows_trained(n_samples, n_folds, epochs):
    """Rows that go through the network in the fits of all folds and the one on all rows."""
    return epochs * n_samples * n_folds


def _folds(n_folds):
    from sklearn.model_selection import KFold

    return KFold(n_folds, shuffle=True, random_state=0)


def _stack(branch, network, n_folds):
    from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor

    return MultimodalStackingRegressor(
        [("branch", branch)],
        network=MultimodalNetworkRegressor(head=(), **PLAIN_NETWORK, **network),
        cv=_folds(n_folds),
        random_state=0,
    )


def our_mlp_stack(epochs, n_folds):
    """Return our stack of one MLP."""
    from skstack.branches import NumericBranch

    branch = NumericBranch(hidden=HIDDEN, **PLAIN_BRANCH)
    return _stack(branch, {"epochs": epochs, "batch_size": BATCH_SIZE}, n_folds)


def _stack_around(regressor, n_folds):
    from sklearn.ensemble import StackingRegressor
    from sklearn.linear_model import RidgeCV

    return StackingRegressor([("mlp", regressor)], final_estimator=RidgeCV(), cv=_folds(n_folds))


def scikeras_mlp_stack(epochs, n_folds, **settings):
    """Return scikit-learn's stack around the mended SciKeras."""
    from skstack import KerasRegressor

    regressor = KerasRegressor(
        build_mlp,
        n_features=20,
        hidden=HIDDEN,
        loss="mse",
        optimizer="adam",
        epochs=epochs,
        batch_size=BATCH_SIZE,
        predict__batch_size=1024,
        random_state=0,
        verbose=0,
        **settings,
    )
    return _stack_around(regressor, n_folds)


def skorch_mlp_stack(epochs, n_folds):
    """Return scikit-learn's stack around skorch, which wants targets in a column."""
    import torch

    # Optimizers of torch import this when the first of them is made, which takes longer than a small stack.
    import torch._dynamo
    from skorch import NeuralNetRegressor

    class OneTarget(NeuralNetRegressor):
        def fit(self, X, y):
            return super().fit(X, y.reshape(-1, 1))

    sizes = [20, *HIDDEN]
    layers = [part for n, m in zip(sizes, HIDDEN, strict=False) for part in (torch.nn.Linear(n, m), torch.nn.ReLU())]
    regressor = OneTarget(
        torch.nn.Sequential(*layers, torch.nn.Linear(HIDDEN[-1], 1)),
        optimizer=torch.optim.Adam,
        max_epochs=epochs,
        batch_size=BATCH_SIZE,
        iterator_train__shuffle=True,
        train_split=None,
        callbacks__print_log=None,
        verbose=0,
    )
    return _stack_around(regressor, n_folds)


def _fit_job(stack, n_samples, epochs, n_folds):
    X, y, X_held_out, y_held_out = make_table(n_samples)

    def describe(fitted):
        flop = training_flop(build_mlp(X.shape[1], HIDDEN), _rows_trained(n_samples, n_folds, epochs))
        return {"held_out_r2": fitted.score(X_held_out, y_held_out), "flop": flop}

    return Job(lambda: stack.fit(X, y), describe)


def ours_mlp(n_samples, epochs, n_folds):
    return _fit_job(our_mlp_stack(epochs, n_folds), n_samples, epochs, n_folds)


def ours_mlp_of_folds(n_samples, epochs, n_folds):
    return _fit_job(our_mlp_stack(epochs, n_folds).set_params(refit="folds"), n_samples, epochs, n_folds)


def scikeras_mlp(n_samples, epochs, n_folds, **settings):
    return _fit_job(scikeras_mlp_stack(epochs, n_folds, **settings), n_samples, epochs, n_folds)


def skorch_mlp(n_samples, epochs, n_folds, n_threads):
    import torch

    torch.set_num_threads(n_threads)
    torch.manual_seed(0)
    return _fit_job(skorch_mlp_stack(epochs, n_folds), n_samples, epochs, n_folds)


def _nested_job(stack, n_samples, epochs, n_folds, n_outer):
    from sklearn.model_selection import cross_val_score

    X, y, _, _ = make_table(n_samples)

    def describe(scores):
        trained = _rows_trained(n_samples, n_folds, epochs) * (n_outer - 1)
        return {"held_out_r2": float(np.mean(scores)), "flop": training_flop(build_mlp(X.shape[1], HIDDEN), trained)}

    return Job(lambda: cross_val_score(stack, X, y, cv=_folds(n_outer), error_score="raise"), describe)


def ours_nested(n_samples, epochs, n_folds, n_outer):
    return _nested_job(our_mlp_stack(epochs, n_folds), n_samples, epochs, n_folds, n_outer)


def scikeras_nested(n_samples, epochs, n_folds, n_outer):
    return _nested_job(scikeras_mlp_stack(epochs, n_folds), n_samples, epochs, n_folds, n_outer)


def our_cnn_stack(epochs, n_folds):
    """Return our stack of the small convolutional network."""
    from skstack.branches import ImageBranch

    branch = ImageBranch(size=(64, 64), filters=(16, 32, 64), hidden=())
    return _stack(branch, {"epochs": epochs, "batch_size": CNN_BATCH_SIZE}, n_folds)


def our_gru_stack(epochs, n_folds):
    """Return our stack of the recurrent network, which a user brings along."""
    from skstack.branches import ModelBranch

    return _stack(ModelBranch(token_features), {"epochs": epochs, "batch_size": BATCH_SIZE}, n_folds)


def _our_network_job(stack, X, y, epochs, n_folds, build):
    trained = _rows_trained(len(X), n_folds, epochs)
    return Job(lambda: stack.fit(X, y), lambda fitted: {"flop": training_flop(build(), trained)})


def _fit_per_fold_job(build, X, y, epochs, batch_size, n_folds):
    """Keras ``fit`` of a new model for each fold and for all rows, with predictions for the rows left out."""
    load_keras()

    def cross_fit():
        predictions = np.empty(len(X), dtype="float32")
        for training, held_out in _folds(n_folds).split(X):
            model = keras_fit(build(), X[training], y[training], epochs, batch_size)
            predictions[held_out] = model.predict(X[held_out], batch_size=256, verbose=0)[:, 0]
        return keras_fit(build(), X, y, epochs, batch_size), predictions

    trained = _rows_trained(len(X), n_folds, epochs)
    return Job(cross_fit, lambda result: {"flop": training_flop(result[0], trained)})


def ours_cnn(n_samples, epochs, n_folds):
    return _our_network_job(our_cnn_stack(epochs, n_folds), *make_pictures(n_samples), epochs, n_folds, build_cnn)


def keras_cnn(n_samples, epochs, n_folds):
    return _fit_per_fold_job(build_cnn, *make_pictures(n_samples), epochs, CNN_BATCH_SIZE, n_folds)


def ours_gru(n_samples, epochs, n_folds):
    return _our_network_job(our_gru_stack(epochs, n_folds), *make_tokens(n_samples), epochs, n_folds, build_gru)


def keras_gru(n_samples, epochs, n_folds):
    return _fit_per_fold_job(build_gru, *make_tokens(n_samples), epochs, BATCH_SIZE, n_folds)


def _branches_stack(training, epochs, n_folds):
    """Return a stack of three branches, two of them of the same architecture."""
    from skstack.branches import NumericBranch

    stack = _stack(NumericBranch(), {"epochs": epochs, "batch_size": BATCH_SIZE}, n_folds)
    columns = {"first": range(8), "second": range(8, 16), "rest": range(16, 20)}
    branches = [(name, NumericBranch(hidden=HIDDEN, **PLAIN_BRANCH), list(part)) for name, part in columns.items()]
    return stack.set_params(estimators=branches, training=training)


def _fits_job(trainings, n_samples, epochs, n_folds):
    X, y, X_held_out, y_held_out = make_table(n_samples)

    def fit():
        return [_branches_stack(training, epochs, n_folds).fit(X, y) for training in trainings]

    return Job(fit, lambda fitted: {"held_out_r2": fitted[-1].score(X_held_out, y_held_out)})


def ours_staged(n_samples, epochs, n_folds):
    return _fits_job(["individual+joint"], n_samples, epochs, n_folds)


def one_and_the_other(n_samples, epochs, n_folds):
    return _fits_job(["individual", "joint"], n_samples, epochs, n_folds)


_STACK = Comparison(
    name="stack",
    work="stack of one MLP 64-32, {n_samples:,} x 20, {epochs} epochs, batch 64, {n_folds} folds + refit",
    peer="StackingRegressor around KerasRegressor",
    ours_job="bench_cross_fitting:ours_mlp",
    peer_job="bench_cross_fitting:scikeras_mlp",
    figures=(cold(at_least=12), warm()),
    full={"n_samples": 5000, "epochs": 20, "n_folds": 5},
    quick={"n_samples": 500, "epochs": 2, "n_folds": 2},
    peer_runs=2,
)

COMPARISONS = (
    _STACK,
    replace(
        _STACK,
        name="stack-several-steps",
        peer="the same, Keras told to take 64 steps per call",
        figures=(cold(),),
        quick=None,
        peer_settings=({"compile__steps_per_execution": 64},),
        ours_runs=1,
        peer_runs=1,
    ),
    replace(
        _STACK,
        name="stack-skorch",
        peer="StackingRegressor around skorch, one torch thread or two",
        peer_job="bench_cross_fitting:skorch_mlp",
        figures=(cold(at_least=5), warm()),
        peer_settings=({"n_threads": 1}, {"n_threads": 2}),
        n_repeats=5,
        needs=("torch", "skorch"),
    ),
    Comparison(
        name="nested",
        work="cross_val_score(cv={n_outer}) of that stack, {n_samples:,} rows, {epochs} epochs",
        peer="StackingRegressor around KerasRegressor",
        ours_job="bench_cross_fitting:ours_nested",
        peer_job="bench_cross_fitting:scikeras_nested",
        figures=(cold(at_least=20), warm()),
        full={"n_samples": 5000, "epochs": 20, "n_folds": 5, "n_outer": 5},
        quick={"n_samples": 300, "epochs": 1, "n_folds": 2, "n_outer": 2},
        # One run of the peer takes a minute and a half.
        n_repeats=2,
    ),
    replace(
        _STACK,
        name="refit-folds",
        work="that stack with refit='folds', {n_samples:,} x 20, {epochs} epochs, {n_folds} folds",
        peer="with refit=True",
        ours_job="bench_cross_fitting:ours_mlp_of_folds",
        peer_job="bench_cross_fitting:ours_mlp",
        # At most 0.9 times the seconds.
        figures=(cold(at_least=1 / 0.9), warm(at_least=1 / 0.9)),
        n_repeats=5,
    ),
    Comparison(
        name="cnn",
        work="CNN 64 x 64 x 3, {n_samples:,} rows, {epochs} epochs, {n_folds} folds + refit",
        peer="Keras fit per fold",
        ours_job="bench_cross_fitting:ours_cnn",
        peer_job="bench_cross_fitting:keras_cnn",
        figures=(cold(at_least=1.9), warm()),
        full={"n_samples": 1000, "epochs": 2, "n_folds": 5},
        quick={"n_samples": 60, "epochs": 1, "n_folds": 2},
        peer_runs=2,
    ),
    Comparison(
        name="gru",
        work="GRU over 30 tokens, {n_samples:,} rows, {epochs} epochs, {n_folds} folds + refit",
        peer="Keras fit per fold",
        ours_job="bench_cross_fitting:ours_gru",
        peer_job="bench_cross_fitting:keras_gru",
        figures=(cold(at_least=3), warm()),
        full={"n_samples": 2000, "epochs": 4, "n_folds": 5},
        quick={"n_samples": 200, "epochs": 1, "n_folds": 2},
        peer_runs=2,
    ),
    Comparison(
        name="stages",
        work="individual+joint over three branches, {n_samples:,} x 20, {epochs} epochs each, {n_folds} folds + refit",
        peer="individual, then joint, as two stacks",
        ours_job="bench_cross_fitting:ours_staged",
        peer_job="bench_cross_fitting:one_and_the_other",
        # It may cost 1.2 times as much.
        figures=(cold(at_least=1 / 1.2), warm(at_least=1 / 1.2)),
        full={"n_samples": 5000, "epochs": 20, "n_folds": 5},
        quick={"n_samples": 200, "epochs": 1, "n_folds": 2},
    ),
)
