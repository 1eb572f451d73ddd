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
