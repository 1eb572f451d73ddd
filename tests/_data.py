"""Small data that several tests use."""

import numpy as np
import pandas as pd


def mixed_frame(n_samples=60, seed=0):
    """Return a frame of numbers, categories and pictures, and a target that depends on all of them."""
    generator = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "area": generator.normal(100, 20, n_samples),
            "rooms": generator.integers(1, 6, n_samples).astype(float),
            "zip": generator.choice(["A", "B", "C"], n_samples),
        }
    )
    brightness = generator.integers(0, 256, n_samples)
    pictures = np.broadcast_to(brightness[:, None, None, None], (n_samples, 8, 8, 3)).astype("uint8")
    X["photo"] = pd.Series(list(pictures), dtype=object)
    y = X["area"] / 20 + X["rooms"] + 2 * (X["zip"] == "A") + brightness / 128 + 10
    return X, y.to_numpy(copy=True)


def plain_table(n_samples=60, seed=0):
    """Return a table of 15 columns of many kinds, none of which has a type that says so, and a positive target."""
    generator = np.random.default_rng(seed)
    words = np.array("red white dry sweet fruity oak tannin berry spice smooth long finish light body plum".split())
    power = generator.integers(50, 200, n_samples)
    clubs = np.array([f"FC {letter}" for letter in "ABCDEFGHIJKL"])
    years = generator.integers(1, 30, n_samples)
    X = pd.DataFrame(
        {
            "row": np.arange(n_samples),
            "source": "shop",
            "code": [f"u-{number:06d}" for number in generator.permutation(n_samples)],
            "area": generator.normal(100, 20, n_samples),
            "power": [f"{value} bhp @ {value * 50} rpm" for value in power],
            "experience": [f"{value} years experience" for value in years],
            "cost": [f"${value:,.2f}" for value in generator.lognormal(7, 1, n_samples)],
            "heated": generator.choice(["yes", "no"], n_samples),
            "color": generator.choice(["red", "blue", "green"], n_samples),
            "zip": generator.choice([94110, 10001, 60601, 73301], n_samples),
            "sold": [f"{1 + day % 28}/{1 + day % 12}/2020" for day in range(n_samples)],
            "review": [" ".join(generator.choice(words, 8)) for _ in range(n_samples)],
            "tags": [";".join(generator.choice(words, 3)) for _ in range(n_samples)],
            "team_1": generator.choice(clubs, n_samples),
            "team_2": generator.choice(clubs, n_samples),
        }
    )
    X.loc[::7, ["review", "area", "power", "color"]] = None
    y = power / 20 + years / 5 + 2.0 * (X["color"] == "red") + X["zip"] / 50000 + 1
    return X, y.to_numpy(copy=True)
