"""Print how well a stack that is told nothing predicts the prices of houses: python -m benchmarks.houses

Five grouped folds of the logarithm of the price, as in the example of the houses; ``--without-photos`` leaves the
photos out. ``SKSTACK_DATA`` names the folder of the data sets.
"""

import argparse
import time

import numpy as np
from sklearn.model_selection import GroupKFold

from skstack import MultimodalStackingRegressor
from skstack.datasets import load_houses
from skstack.datasets._houses import ROOMS

from ._stacks import folder_of


def measure(houses, seed, n_splits=5):
    """Return the mean absolute percentage error over the houses that each fold holds out."""
    X, price, groups, errors = houses.data, houses.target.to_numpy(), houses.groups, []
    for fitting, held_out in GroupKFold(n_splits).split(X, groups=groups):
        stack = MultimodalStackingRegressor(image_root=houses.image_root, random_state=seed)
        stack.fit(X.iloc[fitting], np.log(price[fitting]), groups=groups[fitting])
        errors.append(np.abs(np.exp(stack.predict(X.iloc[held_out])) / price[held_out] - 1))
        print(f"  {errors[-1].mean():.4f} by {', '.join(stack.named_estimators_)}", flush=True)
    return np.concatenate(errors).mean()


def main():
    """Print a line for each fold and each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--without-photos", action="store_true")
    options = parser.parse_args()
    houses = load_houses(folder_of("houses"), rooms=() if options.without_photos else ROOMS)
    for seed in options.seeds:
        started = time.perf_counter()
        error = measure(houses, seed)
        print(f"seed {seed}: MAPE {error:.4f} in {time.perf_counter() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
