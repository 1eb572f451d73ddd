"""Networks of several members, and networks of words with a large table of vectors."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd

from ._comparison import Comparison, Figure, cold, warm
from ._job import Job
from ._problems import make_table
from ._settings import PLAIN_BRANCH, PLAIN_NETWORK

#: Of the tokens that a text is made of: as in a language, a few are frequent and most are rare.
N_TOKENS, LENGTH, DIM = 8000, 70, 64


# --- members ----------------------------------------------------------------------------------------------------------


def network(n_samples, epochs, n_members, share_weights=False):
    """Fit a small network to a table; no member stops early, so that each takes the same steps as one network."""
    from skstack import MultimodalNetworkRegressor
    from skstack.branches import NumericBranch

    X, y, X_held_out, y_held_out = make_table(n_samples)
    unfitted = MultimodalNetworkRegressor(
        [("numbers", NumericBranch(hidden=(32,), **PLAIN_BRANCH))],
        head=(),
        dropout=0.0,
        optimizer="adam",
        batch_size=32,
        epochs=epochs,
        patience=epochs,
        n_members=n_members,
        share_weights=share_weights,
        random_state=0,
    )
    return Job(lambda: unfitted.fit(X, y), lambda fitted: {"held_out_r2": fitted.score(X_held_out, y_held_out)})


def members(n_samples, epochs, n_members):
    return network(n_samples, epochs, n_members)


def members_that_share_weights(n_samples, epochs, n_members):
    return network(n_samples, epochs, n_members, share_weights=True)


def one_network(n_samples, epochs, n_members):
    return network(n_samples, epochs, 1)


# --- tables of vectors ------------------------------------------------------------------------------------------------


def _texts(n_samples):
    """Return texts of tokens that are as frequent as words are, and classes that depend on them."""
    generator = np.random.default_rng(0)
    frequency = 1 / np.arange(1, N_TOKENS + 1)
    tokens = generator.choice(N_TOKENS, size=(n_samples, LENGTH), p=frequency / frequency.sum())
    says = generator.normal(size=N_TOKENS)[tokens].mean(axis=1)
    return pd.DataFrame({"text": [" ".join(f"w{token}" for token in row) for row in tokens]}), says > np.median(says)


@contextmanager
def _all_rows_moved():
    """Let steps move all rows of a table, as they do where it is small."""
    from skstack.training import _tables

    before, _tables._MIN_WEIGHTS = _tables._MIN_WEIGHTS, np.inf
    try:
        yield
    finally:
        _tables._MIN_WEIGHTS = before


def _words_job(n_samples, epochs):
    """Fit a network of words twice, for one epoch and for several, which tells what an epoch takes."""
    import time

    from skstack import MultimodalNetworkClassifier
    from skstack.branches import TextBranch

    X, y = _texts(n_samples)
    branch = TextBranch(dim=DIM, min_frequency=1, max_length=LENGTH)
    unfitted = MultimodalNetworkClassifier([("text", branch)], batch_size=64, random_state=0, **PLAIN_NETWORK)

    def work():
        seconds = []
        for n_epochs in (1, 1, 1 + epochs):  # the first one compiles
            started = time.perf_counter()
            unfitted.set_params(epochs=n_epochs).fit(X, y)
            seconds.append(time.perf_counter() - started)
        return (seconds[2] - seconds[1]) / epochs

    return Job(work, lambda seconds: {"epoch_s": seconds})


def rows_with_gradients(n_samples, epochs):
    return _words_job(n_samples, epochs)


def all_rows(n_samples, epochs):
    job = _words_job(n_samples, epochs)

    def work():
        with _all_rows_moved():
            return job.work()

    return replace(job, work=work)


_MEMBERS = Comparison(
    name="members",
    work="{n_members} members of a network of 32 units, {n_samples:,} x 20, {epochs} epochs, batch 32",
    peer="one network",
    ours_job="bench_members:members",
    peer_job="bench_members:one_network",
    # They may cost 2.5 times as much.
    figures=(cold(at_least=1 / 2.5), warm(at_least=1 / 2.5)),
    full={"n_samples": 5000, "epochs": 20, "n_members": 8},
    quick={"n_samples": 200, "epochs": 1, "n_members": 2},
    peer_runs=2,
)

COMPARISONS = (
    _MEMBERS,
    replace(
        _MEMBERS,
        name="members-shared",
        work="{n_members} members that share weights, 32 units, {n_samples:,} x 20, {epochs} epochs, batch 32",
        ours_job="bench_members:members_that_share_weights",
    ),
    Comparison(
        name="vectors",
        work=f"an epoch of mean word vectors, 8,192 x {DIM}, {{n_samples:,}} texts, batch 64, Adam",
        peer="all rows of the table moved in every step",
        ours_job="bench_members:rows_with_gradients",
        peer_job="bench_members:all_rows",
        figures=(Figure("epoch_s", "an epoch", at_least=2),),
        full={"n_samples": 18000, "epochs": 3},
        quick={"n_samples": 200, "epochs": 1},
        ours_runs=1,
        peer_runs=1,
    ),
)
