"""Houses: numbers, a zip code, photos of four rooms and perhaps a description, as one table with a price."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

ROOMS = ("bathroom", "bedroom", "frontal", "kitchen")
NUMBERS = ("bedrooms", "bathrooms", "area")
INFO_FIELDS = (*NUMBERS, "zipcode", "price")

_DESCR = """Houses
======

{n_houses} houses, {n_groups} of them different listings; rows of one group show the same listing or share a photo, so
split by group.

- bedrooms, bathrooms: how many there are; area in square feet
- zipcode: category, a string of digits
- {rooms}: path of a photo, relative to `image_root`
{description}- target: price in dollars
"""


def load_houses(folder, *, rooms=ROOMS, on_missing="raise"):
    """Load houses from the folder layout of the public Houses data set.

    The folder holds ``HousesInfo.txt`` (a line per house: bedrooms, bathrooms, area, zip code and price, separated by
    spaces, no header), ``images/{i}_{room}.jpg`` with `i` counted from 1, and perhaps ``groups.txt`` (a group per
    house) and ``descriptions.txt`` (a description per house, on one line).

    Parameters
    ----------
    folder : str or path-like
        The folder, of real houses or of those drawn by :func:`make_houses`.
    rooms : sequence of str, default=("bathroom", "bedroom", "frontal", "kitchen")
        The photos to list, in this order. Other photos need not exist.
    on_missing : {"raise", "null"}, default="raise"
        What happens when the folder lacks a photo: an error, or a null in that cell.

    Returns
    -------
    houses : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : DataFrame of shape (n_houses, 4 + n_rooms) or (n_houses, 5 + n_rooms)
            Floats ``bedrooms``, ``bathrooms`` and ``area`` (square feet), category ``zipcode``, a column of paths
            relative to `image_root` per room, and ``description`` where the folder has one. A number or zip code that
            the file gives as ``nan`` and an empty description are null.
        target : Series of shape (n_houses,)
            Price in dollars.
        groups : ndarray of shape (n_houses,)
            Houses of one group share a listing or a photo. Without ``groups.txt`` each house is its own group.
        frame : DataFrame
            `data` and `target` together.
        image_root : str
            The folder of the photos.
        feature_names : list of str
            The columns of `data`.
        DESCR : str
            A description of the data.

    Raises
    ------
    FileNotFoundError
        If the folder, ``HousesInfo.txt`` or, unless `on_missing` is ``"null"``, a photo does not exist.
    ValueError
        If a line of ``HousesInfo.txt`` is malformed, or another file has another number of lines.

    See Also
    --------
    make_houses : Draw houses in this layout.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from skstack.datasets import load_houses, make_houses
    >>> with TemporaryDirectory() as folder:
    ...     drawn = make_houses(folder, 3, random_state=0)
    ...     houses = load_houses(folder, rooms=["kitchen"])
    >>> houses.data["kitchen"].tolist()
    ['1_kitchen.jpg', '2_kitchen.jpg', '3_kitchen.jpg']
    """
    if isinstance(rooms, str):
        raise ValueError(f"rooms is a sequence of names such as {ROOMS}, got the string {rooms!r}.")
    if on_missing not in ("raise", "null"):
        raise ValueError(f'on_missing must be "raise" or "null", got {on_missing!r}.')
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder of houses at {folder}.")
    info = _read_info(folder / "HousesInfo.txt")
    target = info.pop("price")
    data = info.assign(zipcode=info["zipcode"].astype("category"))
    image_root = folder / "images"
    for room in rooms:
        data[room] = pd.Series(_photos(image_root, room, len(data), on_missing), dtype="str")
    if (folder / "descriptions.txt").exists():
        lines = _read_lines(folder / "descriptions.txt", len(data))
        data["description"] = pd.Series([line or None for line in lines], dtype="str")
    groups = _read_groups(folder / "groups.txt", len(data))
    return Bunch(
        data=data,
        target=target,
        groups=groups,
        frame=data.assign(price=target),
        image_root=str(image_root),
        feature_names=list(data.columns),
        DESCR=_DESCR.format(
            n_houses=len(data),
            n_groups=len(np.unique(groups)),
            rooms=", ".join(rooms) or "no rooms",
            description="- description: a few sentences\n" if "description" in data else "",
        ),
    )


def _read_info(path):
    if not path.exists():
        raise FileNotFoundError(f"The folder of houses {path.parent} has no file {path.name}.")
    lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    rows = [_parse_house(line, number) for number, line in enumerate(lines, start=1)]
    return pd.DataFrame(rows, columns=list(INFO_FIELDS))


def _parse_house(line, number):
    where = f"HousesInfo.txt, line {number} (house {number})"
    values = line.split()
    if len(values) != len(INFO_FIELDS):
        raise ValueError(f"{where}: expected {len(INFO_FIELDS)} fields ({' '.join(INFO_FIELDS)}), got {len(values)}.")
    house = dict(zip(INFO_FIELDS, values, strict=True))
    for field in (*NUMBERS, "price"):
        try:
            house[field] = float(house[field])
        except ValueError:
            raise ValueError(f"{where}: {field} must be a number, got {house[field]!r}.") from None
    if not np.isfinite(house["price"]):
        raise ValueError(f"{where}: price must be a finite number, got {values[-1]!r}.")
    house["zipcode"] = None if house["zipcode"] == "nan" else house["zipcode"]
    return house


def _read_lines(path, n_houses):
    lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    if len(lines) != n_houses:
        raise ValueError(f"{path.name} has {len(lines)} lines, but HousesInfo.txt lists {n_houses} houses.")
    return lines


def _read_groups(path, n_houses):
    if not path.exists():
        return np.arange(1, n_houses + 1)
    groups = []
    for number, line in enumerate(_read_lines(path, n_houses), start=1):
        try:
            groups.append(int(line))
        except ValueError:
            raise ValueError(
                f"groups.txt, line {number} (house {number}): expected an integer, got {line!r}."
            ) from None
    return np.array(groups)


def _photos(image_root, room, n_houses, on_missing):
    present = set(os.listdir(image_root)) if image_root.is_dir() else set()
    names = [f"{number}_{room}.jpg" for number in range(1, n_houses + 1)]
    if on_missing == "raise":
        for number, name in enumerate(names, start=1):
            if name not in present:
                raise FileNotFoundError(f"House {number} has no {room} photo: expected {image_root / name}.")
    return [name if name in present else None for name in names]
