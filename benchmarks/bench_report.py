"""How long the report of a stack takes, beside what a prediction of the same rows takes.

The houses are those of the example (real ones where ``SKSTACK_DATA`` names a directory with them, else drawn), and the
stack has two of their photos, the zip code, numbers and boosting. Networks are trained for one epoch: what they learned
does not change what is drawn.
"""

import tempfile
import time
from pathlib import Path

from ._comparison import Comparison, Figure
from ._job import Job

NUMBERS = ["bedrooms", "bathrooms", "area"]


def make_data(n_houses):
    """Return up to so many houses."""
    from skstack.datasets import find_data, load_houses, make_houses

    folder = find_data("houses")
    houses = load_houses(folder) if folder else make_houses(Path(tempfile.mkdtemp()), n_houses=n_houses, random_state=0)
    return houses, houses.data.head(n_houses), houses.target.head(n_houses), houses.groups[:n_houses]


def fit_stack(houses, X, y, groups):
    """Return a stack whose network was trained for one epoch."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.model_selection import GroupKFold

    from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
    from skstack.branches import CategoricalBranch, ImageBranch, NumericBranch

    photo = ImageBranch(size=(32, 32), filters=(8, 16), root=houses.image_root)
    parts = [
        ("numbers", NumericBranch(), NUMBERS),
        ("zip", CategoricalBranch(), ["zipcode"]),
        ("frontal", photo, ["frontal"]),
        ("kitchen", photo, ["kitchen"]),
        ("boosting", HistGradientBoostingRegressor(max_iter=50), NUMBERS),
    ]
    network = MultimodalNetworkRegressor(epochs=1, early_stopping=False)
    stack = MultimodalStackingRegressor(parts, network=network, cv=GroupKFold(3), random_state=0)
    return stack.fit(X, y, groups=groups)


def _seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turns(n_houses, n_repeats):
    from skstack.inspection import report

    houses, X, y, groups = make_data(n_houses)
    stack = fit_stack(houses, X, y, groups)
    stack.predict(X)  # compiled now, and photos are read
    path = Path(tempfile.mkdtemp()) / "report.html"

    def run():
        predicting = _seconds(lambda: stack.predict(X))
        return predicting, _seconds(lambda: report(stack, X, y, path, groups=groups))

    def describe(repeats):
        (_, first), *further = repeats
        pairs = [
            {"ours": {"first_s": first, "seconds": reporting}, "peer": {"first_s": predicting, "seconds": predicting}}
            for predicting, reporting in further
        ]
        return {"pairs": pairs}

    return Job(lambda: [run() for _ in range(n_repeats + 1)], describe)


COMPARISONS = (
    Comparison(
        name="report",
        work="report of a stack over {n_houses} houses",
        peer="predict of the stack",
        ours_job="bench_report:in_turns",
        peer_job=None,
        figures=(Figure("first_s", "first"), Figure("seconds", "further")),
        full={"n_houses": 535},
        quick={"n_houses": 40},
        n_repeats=2,
    ),
)
