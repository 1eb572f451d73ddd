"""Print what training the networks of all folds costs, together and one after the other, as `fold_training` says.

``python -m benchmarks.fold_training`` cross-fits networks of several kinds and sizes, in five folds and on all rows.
Each way of each case is a process of its own; the first fit includes compiling. The rule in
`skstack/training/_rule.py` is made from this table.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time

import numpy as np

from ._problems import make_pictures, make_table, make_tokens, token_features
from ._settings import PLAIN_BRANCH, PLAIN_NETWORK

WAYS = ("vectorized", "sequential")

#: Kind, units of the hidden layers, rows of a batch, rows, epochs.
CASES = (
    ("mlp", (32,), 32, 100, 5),
    ("mlp", (32,), 32, 400, 10),
    ("mlp", (32,), 32, 1000, 10),
    ("mlp", (32,), 32, 5000, 10),
    ("mlp", (64, 32), 64, 5000, 10),
    ("mlp", (128, 64), 64, 5000, 10),
    ("mlp", (256, 256), 256, 5000, 10),
    ("mlp", (1024, 1024), 256, 5000, 10),
    ("mlp", (2048, 2048, 2048), 1024, 5000, 10),
    ("cnn", (16, 32, 64), 32, 1000, 2),
    ("gru", (), 64, 2000, 10),
)

N_FOLDS = 5


def _case(kind, hidden, batch_size, n_rows, epochs):
    """Return an unfitted network, X and y."""
    from skstack import MultimodalNetworkRegressor
    from skstack.branches import ImageBranch, ModelBranch, NumericBranch

    if kind == "mlp":
        branch, (X, y) = NumericBranch(hidden=hidden, **PLAIN_BRANCH), make_table(n_rows)[:2]
    elif kind == "cnn":
        branch, (X, y) = ImageBranch(size=(64, 64), filters=hidden, hidden=()), make_pictures(n_rows)
    else:
        branch, (X, y) = ModelBranch(token_features), make_tokens(n_rows)
    network = MultimodalNetworkRegressor(
        [(kind, branch)], head=(), epochs=epochs, batch_size=batch_size, random_state=0, **PLAIN_NETWORK
    )
    return network, X, y


def measure(case, way, n_runs):
    """Return the seconds of the first fit and the median of later ones, and the number of weights."""
    from sklearn.base import clone
    from sklearn.model_selection import KFold

    _start_device()
    # What a process does once is not in the first fit.
    other, X, y = _case("mlp", (3,), 32, 50, 1)
    other.fit(X, y)
    network, X, y = _case(*case)
    network.set_params(fold_training=way)
    splits = [training for training, _ in KFold(N_FOLDS, shuffle=True, random_state=0).split(X)]
    seconds = []
    for _ in range(1 + n_runs):
        begin = time.perf_counter()
        fitted = list(clone(network).cross_fit(X, y, splits))
        seconds.append(time.perf_counter() - begin)
    n_weights = sum(int(np.prod(variable.shape)) for variable in fitted[0].model_.trainable_variables)
    return seconds[0], statistics.median(seconds[1:]), n_weights


def _start_device():
    """Let the backend do what it does once in a process, which takes seconds on a GPU."""
    from skstack._backend import keras

    ones = keras.ops.ones((64, 64))
    keras.ops.convert_to_numpy(keras.ops.matmul(ones, ones))


def _in_a_process(index, way, n_runs):
    """Return what `measure` does, in a process of its own; None if it failed."""
    options = ["--runs", str(n_runs), "--case", str(index), "--way", way]
    command = [sys.executable, "-m", "benchmarks.fold_training", *options]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    return None if result.returncode else json.loads(result.stdout.splitlines()[-1])


def _line(index, n_runs):
    kind, hidden, batch_size, n_rows, epochs = CASES[index]
    name = f"{kind} {'-'.join(map(str, hidden))}, batch {batch_size}, {n_rows} rows, {epochs} epochs"
    measured = [_in_a_process(index, way, n_runs) for way in WAYS]
    if None in measured:
        return f"| {name} | failed |"
    cells = " | ".join(f"{first:.2f} s | {later:.2f} s" for first, later, _ in measured)
    ((first, later, n_weights), (other_first, other_later, _)) = measured
    power = np.log2(n_weights * batch_size)
    return f"| {name} | 2^{power:.1f} | {cells} | {other_first / first:.2f} | {other_later / later:.2f} |"


def main(arguments=None):
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fold_training", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="fits of each way after the first")
    parser.add_argument("--case", type=int, help="position of the only case to measure")
    parser.add_argument("--way", choices=WAYS, help="of that case, the way to measure in this process")
    options = parser.parse_args(arguments)
    if options.way is not None:
        print(json.dumps(measure(CASES[options.case], options.way, options.runs)), flush=True)
        return
    print("| network | work | vectorized: first | later | sequential: first | later | times: first | later |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for index in range(len(CASES)) if options.case is None else [options.case]:
        print(_line(index, options.runs), flush=True)


if __name__ == "__main__":
    main()
