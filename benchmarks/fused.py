"""Print what a step of several networks costs: one by one, in one vectorised graph of TensorFlow, compiled by XLA.

``python -m benchmarks.fused`` measures processor seconds, each case in a process of its own. From how many steps on it
pays to have XLA compile them is what compiling takes, divided by what a step then saves against the better of the
others. The rule in `skstack/training/_rule.py` is made from this table.
"""

import argparse
import subprocess
import sys
import time

import numpy as np

from ._problems import make_table
from ._settings import PLAIN_BRANCH, PLAIN_NETWORK

#: Kind, units of the head, rows of a batch, networks.
CASES = (
    ("mlp", (16,), 32, 6),
    ("mlp", (64, 32), 64, 1),
    ("mlp", (64, 32), 64, 6),
    ("mlp", (64, 32), 64, 12),
    ("mlp", (64, 32), 64, 48),
    ("mlp", (256, 64), 64, 6),
    ("mlp", (256, 256), 256, 6),
    ("table", (64,), 128, 1),
    ("table", (64,), 32, 6),
    ("table", (64,), 128, 6),
)

N_ROWS = 2048


def _case(kind, head, batch_size):
    """Return an unfitted network, X and y."""
    import pandas as pd

    from skstack import MultimodalNetworkRegressor
    from skstack.branches import CategoricalBranch, NumericBranch

    X, y = make_table(N_ROWS)[:2]
    if kind == "mlp":
        branches, settings = [("numbers", NumericBranch(hidden=(), **PLAIN_BRANCH))], PLAIN_NETWORK
    else:  # what a table has by default: embedded numbers and categories, dropout
        codes = (4 * np.abs(X[:, 7:])).astype(int).astype(str)
        X = pd.DataFrame(X[:, :7]).join(pd.DataFrame(codes, columns=[f"c{place}" for place in range(13)]))
        X.columns = X.columns.astype(str)
        branches, settings = (
            [
                ("numbers", NumericBranch(), list(X.columns[:7])),
                ("categories", CategoricalBranch(), list(X.columns[7:])),
            ],
            {"early_stopping": False},
        )
    return MultimodalNetworkRegressor(branches, head=head, batch_size=batch_size, random_state=0, **settings), X, y


class _Asked(Exception):
    """Carries what a fit is about to train."""


def _trainings(network, X, y):
    """Return what a fit would train."""
    from skstack.training import _fit

    def ask(trainings):
        raise _Asked(trainings)

    train, _fit.train = _fit.train, ask
    try:
        network.fit(X, y)
    except _Asked as asked:
        return asked.args[0]
    finally:
        _fit.train = train


def measure(kind, head, batch_size, n_networks, n_runs):
    """Return number of weights, processor seconds of compiling, and those of a step in each of the three ways."""
    from skstack.training._engine import Engine, VectorizedEngine
    from skstack.training._programs import acquired

    network, X, y = _case(kind, head, batch_size)
    network, make, each = _trainings(network.set_params(n_members=n_networks), X, y)
    job, settings = each[0].job, each[0].settings
    rows = job.training_rows[: len(job.training_rows) // batch_size * batch_size]
    with acquired(network, settings, make, joins=True) as program:
        engines = [
            Engine(program, settings, job, {}),
            VectorizedEngine(program, each, fused=False),
            VectorizedEngine(program, each, fused=True),
        ]
        seconds = [[] for _ in engines]
        for _ in range(1 + n_runs):
            for engine, measured in zip(engines, seconds, strict=True):
                begin = time.process_time()
                engine.train([rows] * n_networks, batch_size)
                measured.append(time.process_time() - begin)
    n_weights = sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)
    n_steps = len(rows) // batch_size
    alone, graph, fused = (min(measured[1:]) / n_steps for measured in seconds)
    return n_weights, seconds[2][0] - fused * n_steps, alone * n_networks, graph, fused


def _line(index, n_runs):
    kind, head, batch_size, n_networks = CASES[index]
    n_weights, compiling, *steps = measure(*CASES[index], n_runs)
    saved = min(steps[:2]) - steps[2]
    power, layers = np.log2(n_weights * batch_size), "-".join(map(str, head))
    cells = " | ".join(f"{1e3 * seconds:.2f} ms" for seconds in steps)
    pays = f"{compiling / saved:,.0f}" if saved > 0 else "never"
    return (
        f"| {kind} {layers}, batch {batch_size} | {n_networks} | 2^{power:.1f} | {cells} | {compiling:.1f} s | {pays} |"
    )


def main(arguments=None):
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fused", description=__doc__)
    parser.add_argument(
        "--runs", type=int, default=4, help="epochs in each way after the first, of which the best counts"
    )
    parser.add_argument("--case", type=int, help="position of the only case to measure, in this process")
    options = parser.parse_args(arguments)
    if options.case is not None:
        print(_line(options.case, options.runs), flush=True)
        return
    print(
        "| network | networks | weights x batch | step one by one | in a graph | by XLA | compiling | pays from steps |"
    )
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for index in range(len(CASES)):
        command = [sys.executable, "-m", "benchmarks.fused", "--runs", str(options.runs), "--case", str(index)]
        if subprocess.run(command).returncode:
            print(f"| {CASES[index]} failed |", flush=True)


if __name__ == "__main__":
    main()
