"""Houses drawn by chance, in the folder layout of the real ones."""

import os
import re
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state, check_scalar

from ._describing import describe_house
from ._drawing import draw_photo
from ._houses import NUMBERS, ROOMS, load_houses

_N_ZIPCODES = 24
_QUALITIES = ("condition", "kitchen", "bathroom", "bedroom", "view", "renovation")
_PHOTO_NAME = re.compile(rf"\d+_({'|'.join(ROOMS)})\.jpg")


def make_houses(folder, n_houses=400, *, image_size=64, missing=0.0, noise=0.1, random_state=None):
    """Draw houses whose price depends on numbers, zip code, photos and description together.

    Each house has hidden factors, and each of them shows in one or two kinds of data only: size in the numbers and,
    roughly, in the width of the facade; location in the zip code; condition, pool and garage on the frontal photo; the
    quality of kitchen, bathroom and bedroom on theirs; view and renovation in the description. The logarithm of the
    price adds them up, with two interactions across kinds (a fine kitchen pays where the location is good, a pool where
    the sun shines) and noise. About one house in fifty is offered twice, and both offers are one group.

    Parameters
    ----------
    folder : str or path-like
        Where to write; created if need be. Houses drawn there before are replaced.
    n_houses : int, default=400
        Number of rows.
    image_size : int, default=64
        Width and height of the photos in pixels.
    missing : float, default=0.0
        Probability, for each cell of the table by itself, that it is missing.
    noise : float, default=0.1
        Standard deviation of the noise in the logarithm of the price.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same houses at each call. The global random state is used in no case.

    Returns
    -------
    houses : :class:`~sklearn.utils.Bunch`
        What :func:`load_houses` returns for that folder, and `factors`, a DataFrame of what each house was drawn from.

    Raises
    ------
    FileExistsError
        If the folder holds houses that this function has not drawn.

    See Also
    --------
    load_houses : Load such a folder, drawn or real.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from skstack.datasets import make_houses
    >>> with TemporaryDirectory() as folder:
    ...     houses = make_houses(folder, 20, random_state=0)
    >>> houses.data.columns.tolist()[:5]
    ['bedrooms', 'bathrooms', 'area', 'zipcode', 'bathroom']
    >>> houses.data["description"][0]  # doctest: +ELLIPSIS
    '...'
    """
    check_scalar(n_houses, "n_houses", int, min_val=1)
    check_scalar(image_size, "image_size", int, min_val=8)
    check_scalar(missing, "missing", (int, float), min_val=0, max_val=1, include_boundaries="left")
    check_scalar(noise, "noise", (int, float), min_val=0)
    folder = Path(folder)
    if (folder / "HousesInfo.txt").exists() and not (folder / "descriptions.txt").exists():
        raise FileExistsError(f"{folder} holds houses without descriptions, so not drawn ones: choose another folder.")
    # A seed drawn from the operating system, unlike check_random_state(None), leaves the global state alone.
    rng = np.random.default_rng(None if random_state is None else check_random_state(random_state).randint(2**31 - 1))
    factors, groups = _draw_factors(n_houses, rng)
    price = np.exp(_log_price(factors) + noise * rng.standard_normal(n_houses)[groups])
    present = rng.random((n_houses, len(NUMBERS) + 1 + len(ROOMS) + 1)) >= missing
    present = pd.DataFrame(present, columns=[*NUMBERS, "zipcode", *ROOMS, "description"])
    seeds = rng.integers(2**31, size=n_houses)[groups]
    _write(folder, factors, groups, price, present, seeds, image_size)
    houses = load_houses(folder, on_missing="null")
    houses.factors = factors
    return houses


def _draw_factors(n_houses, rng):
    zipcodes = rng.choice(np.arange(90001, 98000), _N_ZIPCODES, replace=False)
    locations, sunny = rng.normal(size=_N_ZIPCODES), rng.random(_N_ZIPCODES) < 0.5
    place = rng.integers(_N_ZIPCODES, size=n_houses)
    area = np.exp(rng.normal(np.log(2100), 0.4, n_houses)).clip(600, 9000).round()
    rooms = area / 650 + rng.normal(0, 0.8, n_houses)
    factors = pd.DataFrame(
        {
            "zipcode": zipcodes[place],
            "location": locations[place],
            "sunny": sunny[place],
            "area": area,
            "bedrooms": rooms.round().clip(1, 8).astype(int),
            "bathrooms": ((0.7 * rooms + rng.normal(0, 0.6, n_houses)) * 2).round().clip(2, 14) / 2,
            "storeys": 1 + (area + rng.normal(0, 700, n_houses) > 2200),
            "garage": rng.integers(3, size=n_houses),
            "pool": rng.random(n_houses) < 0.4,
            **{quality: rng.random(n_houses) for quality in _QUALITIES},
        }
    )
    groups = np.arange(n_houses)
    offered_twice = np.flatnonzero(rng.random(n_houses) < 0.02)
    groups[offered_twice] = groups[rng.integers(np.maximum(offered_twice, 1))]
    return factors.iloc[groups].reset_index(drop=True), groups


def _log_price(factors):
    # Qualities are uniform on [0, 1]; scaled to unit variance, their coefficients compare with that of the location.
    quality = (factors[list(_QUALITIES)] - 0.5) * np.sqrt(12)
    pool = factors["pool"] - 0.4
    return (
        13.0
        + 0.28 * factors["location"]
        + 0.7 * np.log(factors["area"] / 2100)
        + 0.04 * (factors["bathrooms"] - 2.5)
        + 0.16 * quality["condition"]
        + 0.16 * quality["kitchen"]
        + 0.12 * quality["bathroom"]
        + 0.06 * quality["bedroom"]
        + 0.16 * quality["view"]
        + 0.16 * quality["renovation"]
        + 0.08 * (factors["garage"] - 1)
        + np.where(factors["sunny"], 0.35, 0.0) * pool
        + 0.10 * factors["location"] * quality["kitchen"]
    ).to_numpy()


def _write(folder, factors, groups, price, present, seeds, image_size):
    (folder / "images").mkdir(parents=True, exist_ok=True)
    # Files move into place when all are there, so that a call that is cut short leaves no half-written file.
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        scratch = Path(scratch)
        (scratch / "images").mkdir()
        table, descriptions = _draw_files(scratch / "images", factors, present, seeds, image_size)
        table["price"] = price.round().astype(int)
        table.to_csv(scratch / "HousesInfo.txt", sep=" ", header=False, index=False, na_rep="nan")
        (scratch / "descriptions.txt").write_text("".join(f"{line}\n" for line in descriptions), encoding="utf-8")
        (scratch / "groups.txt").write_text("".join(f"{group + 1}\n" for group in groups), encoding="utf-8")
        drawn = set(os.listdir(scratch / "images"))
        for name in drawn:
            os.replace(scratch / "images" / name, folder / "images" / name)
        for name in ("descriptions.txt", "groups.txt", "HousesInfo.txt"):
            os.replace(scratch / name, folder / name)
    for name in set(os.listdir(folder / "images")) - drawn:
        if _PHOTO_NAME.fullmatch(name):
            (folder / "images" / name).unlink()


def _draw_files(image_folder, factors, present, seeds, image_size):
    """Save the photos and return the table without the price, and the descriptions."""
    descriptions = []
    for row, house in enumerate(factors.to_dict("records")):
        # Both offers of a house have one seed, hence the same photos.
        rng = np.random.default_rng(seeds[row])
        description = describe_house(house, rng)
        descriptions.append(description if present["description"][row] else "")
        for room in ROOMS:
            photo = draw_photo(room, house, rng, image_size)
            if present[room][row]:
                photo.save(image_folder / f"{row + 1}_{room}.jpg", quality=90)
    table = factors[[*NUMBERS, "zipcode"]].astype({"area": int}).astype(object)
    return table.where(present[table.columns]), descriptions
