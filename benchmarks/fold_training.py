"""Print what training the networks of all folds costs, together and one after the other, as `fold_training` says.

``python -m benchmarks.fold_training`` cross-fits networks of several kinds and sizes, in five folds and on all rows.
Each line is a process of its own; the first fit includes compiling, and the two ways then take turns. The rule in
`skstack/training/_rule.py` is made from this table.
"""

import argparse
import statistics
import subprocess
import sys
import time

import numpy as np

from ._problems import make_pictures, make_table, make_tokens, token_features
from ._settings import PLAIN_BRANCH, PLAIN_NETWORK

WAYS = ("vectorized", "sequential")

#: Kind, units of the hidden layers, rows of a batch.
CASES = (
    ("mlp", (32,), 32),
    ("mlp", (64, 32), 64),
    ("mlp", (128, 64), 64),
    ("mlp", (256, 256), 256),
    ("mlp", (1024, 1024), 256),
    ("mlp", (2048, 2048, 2048), 1024),
    ("cnn", (16, 32, 64), 32),
    ("gru", (), 64),
)

N_FOLDS, EPOCHS, SMALL_EPOCHS = 5, 10, 2


def _case(kind, hidden, batch_size):
    """Return an unfitted network, X and y."""
    from skstack import MultimodalNetworkRegressor
    from skstack.branches import ImageBranch, ModelBranch, NumericBranch

    epochs = EPOCHS
    if kind == "mlp":
        branch, (X, y) = NumericBranch(hidden=hidden, **PLAIN_BRANCH), make_table(5000)[:2]
    elif kind == "cnn":
        branch, (X, y), epochs = (
            ImageBranch(size=(64, 64), filters=hidden, hidden=()),
            make_pictures(1000),
            SMALL_EPOCHS,
        )
    else:
        branch, (X, y) = ModelBranch(token_features), make_tokens(2000)
    network = MultimodalNetworkRegressor(
        [(kind, branch)], head=(), epochs=epochs, batch_size=batch_size, random_state=0, **PLAIN_NETWORK
    )
    return network, X, y


def measure(kind, hidden, batch_size, n_runs):
    """Return the seconds of the first fit and the median of later ones, by the way, and the number of weights."""
    from sklearn.base import clone
    from sklearn.model_selection import KFold

    network, X, y = _case(kind, hidden, batch_size)
    _start_device()
    splits = [training for training, _ in KFold(N_FOLDS, shuffle=True, random_state=0).split(X)]
    seconds = {way: [] for way in WAYS}
    for _ in range(1 + n_runs):
        for way in WAYS:
            begin = time.perf_counter()
            fitted = list(clone(network).set_params(fold_training=way).cross_fit(X, y, splits))
            seconds[way].append(time.perf_counter() - begin)
    n_weights = sum(int(np.prod(variable.shape)) for variable in fitted[0].model_.trainable_variables)
    return {way: (times[0], statistics.median(times[1:])) for way, times in seconds.items()}, n_weights


def _start_device():
    """Let the backend do what it does once in a process, which takes seconds on a GPU."""
    from skstack._backend import keras

    ones = keras.ops.ones((64, 64))
    keras.ops.convert_to_numpy(keras.ops.matmul(ones, ones))


def _line(index, n_runs):
    kind, hidden, batch_size = CASES[index]
    seconds, n_weights = measure(kind, hidden, batch_size, n_runs)
    layers = "-".join(map(str, hidden))
    cells = [f"{first:.2f} s | {later:.2f} s" for first, later in seconds.values()]
    ratio = seconds["sequential"][1] / seconds["vectorized"][1]
    power = np.log2(n_weights * batch_size)
    return f"| {kind} {layers}, batch {batch_size} | 2^{power:.1f} | {' | '.join(cells)} | {ratio:.2f} |"


def main(arguments=None):
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fold_training", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="fits of each way after the first")
    parser.add_argument("--case", type=int, help="position of the only case to measure, in this process")
    options = parser.parse_args(arguments)
    if options.case is not None:
        print(_line(options.case, options.runs), flush=True)
        return
    print(
        "| network | weights x batch | vectorized: first | later | sequential: first | later | times faster together |"
    )
    print("|---|---|---|---|---|---|---|", flush=True)
    for index in range(len(CASES)):
        command = [sys.executable, "-m", "benchmarks.fold_training", "--runs", str(options.runs), "--case", str(index)]
        if subprocess.run(command).returncode:
            print(f"| {CASES[index]} failed |", flush=True)


if __name__ == "__main__":
    main()
