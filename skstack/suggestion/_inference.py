"""What a single column holds, judged by its cells and, for whole numbers, by its name."""

import datetime
import decimal
import re
from numbers import Number

import numpy as np
import pandas as pd
import PIL.Image

from ..reading._cells import is_date, shown
from ..reading._items import is_list
from ..reading._missing import missing_rows
from ..reading._numbers_in_text import numbers_in
from ..reading._tensors import tensors_of
from ._dates import describe_dates
from ._texts import infer_texts
from ._unix_times import are_unix_times

#: Names of columns whose whole numbers are not to be counted with.
_CODE_NAME = re.compile(
    r"(^|[_\s])(zip|zip_?code|post_?code|postal|plz|code|cd|type|class|subclass|category|cat|region|district|county|"
    r"state|country|city|store|shop|dept|department|branch|sector|industry|occupation|channel|zone|brand|make|model|"
    r"team|player|user|customer|item|product|sku)(_?\d+)?$",
    re.IGNORECASE,
)
_ID_NAME = re.compile(
    r"(^|[_\s.])(id|ids|uid|uuid|guid|key|row_?(id|no|nr|number|index)?)$|^(index|idx|unnamed: \d+)$", re.IGNORECASE
)

#: A running number in fewer rows than these may as well be a measurement.
_MIN_ROWS_OF_RUNNING = 20

#: Samples from which on a vector is a recording rather than a sequence.
_SAMPLES = 4000


def infer(column, name, root=None):
    """Say what a column holds.

    Parameters
    ----------
    column : Series of length n_rows
    name : str
        What it is called, "" for nothing.
    root : str, default=None
        Folder that relative paths start from.

    Returns
    -------
    kind, reason, n_distinct, details : str, str, int, dict
        As of :class:`~skstack.suggestion._kinds.Column`.
    """
    present = ~missing_rows(column.to_frame())
    cells = column[present]
    if not len(cells):
        return "constant", "nothing in any row", 0, {}
    if not isinstance(cells.dtype, pd.CategoricalDtype) and (of_arrays := _infer_arrays(cells, root)) is not None:
        return (*of_arrays[:2], len(cells), of_arrays[2])
    try:
        n_distinct = int(cells.nunique())
    except TypeError:  # cells without a hash
        return "drop", f"cells are of type {type(cells.iloc[0]).__name__}", 0, {}
    if n_distinct == 1:
        if present.all():
            return "constant", f"{shown(cells.iloc[0])} in every row", 1, {}
        return "boolean", "one value, or none", 1, {}
    kind, reason, details = _infer_scalars(cells, _in_words(name), n_distinct, root)
    return kind, reason, n_distinct, details


def _in_words(name):
    """Return a name with its words parted: MSSubClass becomes MSSub_Class."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)


# --- arrays -----------------------------------------------------------------------------------------------------------


def _infer_arrays(cells, root):
    """Return what cells hold that are arrays, images or lists; None for any others."""
    tensors = tensors_of(cells)
    if tensors is not None:
        return infer_shape(tensors.shape[1:], tensors.dtype)
    first = cells.iloc[0]
    if isinstance(first, PIL.Image.Image):
        return "image", "images", {}
    if isinstance(first, (bytes, bytearray)) and _is_encoded_image(first):
        return "image", "images, encoded", {}
    if is_list(first):
        return _infer_items(cells, root)
    if isinstance(first, (np.ndarray, list, tuple)):
        arrays = [np.asarray(cell, dtype=getattr(cell, "dtype", "float64")) for cell in cells.iloc[:20]]
        return infer_shape(max((array.shape for array in arrays), key=np.prod), arrays[0].dtype)
    return None


def _is_encoded_image(content):
    return bytes(content[:4]) in (b"\x89PNG", b"GIF8", b"RIFF") or bytes(content[:2]) in (b"\xff\xd8", b"BM")


def _infer_items(cells, root):
    """Return what lists hold: the kind of their items, or texts."""
    items = [item for cell in cells.iloc[:200] for item in cell]
    if not items:
        return "drop", "lists of nothing", {}
    if all(isinstance(item, (list, tuple)) for item in items):
        if len({len(item) for item in items}) > 1:
            return "drop", "lists of lists of different lengths", {}
        return "sequence", "sequences of several channels", {}
    kind, reason, _, details = infer(pd.Series(items, dtype=object), "", root)
    if kind in ("image", "audio"):
        return kind, f"lists of {reason}", {**details, "items": True}
    if isinstance(items[0], str):
        return "text", "lists of texts", {"items": True}
    return "drop", f"lists of {type(items[0]).__name__}", {}


def infer_shape(shape, dtype):
    """Return kind, reason and details of a column of arrays of a shape."""
    said = f"arrays of shape {tuple(shape)}"
    if len(shape) == 3 and shape[-1] in (1, 3, 4):
        return "image", said, {"channels": shape[-1]}
    if len(shape) == 2 and (dtype == np.uint8 or (min(shape) >= 8 and 0.5 <= shape[0] / shape[1] <= 2)):
        return "image", said, {"channels": 1}
    if len(shape) == 2:
        return "sequence", f"{said}: time and channels", {}
    if len(shape) == 1 and shape[0] >= _SAMPLES:
        return "audio", f"{said}, taken as samples of sound", {}
    if len(shape) == 1:
        return "sequence", said, {}
    return "drop", f"{said}, which no branch takes", {}


# --- scalars ----------------------------------------------------------------------------------------------------------


def _infer_scalars(cells, name, n_distinct, root):
    if isinstance(cells.dtype, pd.CategoricalDtype):
        if n_distinct >= max(0.98 * len(cells), _MIN_ROWS_OF_RUNNING):
            return _infer_scalars(cells.astype(cells.cat.categories.dtype), name, n_distinct, root)
        return "categorical", f"{n_distinct} categories, as the table says", {}
    if pd.api.types.is_bool_dtype(cells.dtype):
        return "boolean", "True and False", {}
    if pd.api.types.is_timedelta64_dtype(cells.dtype):
        return "drop", "differences of dates: make hours of them, dt.total_seconds() / 3600", {}
    if pd.api.types.is_datetime64_any_dtype(cells.dtype) or isinstance(cells.dtype, pd.PeriodDtype):
        return "date", f"dtype {cells.dtype}", {"date_format": None}
    if pd.api.types.is_complex_dtype(cells.dtype):
        return "drop", "complex numbers: make a column of the real parts and one of the imaginary ones", {}
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return _infer_numbers(cells.to_numpy(dtype="float64", na_value=np.nan), name, n_distinct)
    return _infer_objects(cells.astype(object), name, n_distinct, root)


def _infer_objects(cells, name, n_distinct, root):
    """Return what cells of any types hold."""
    if cells.map(lambda cell: isinstance(cell, (bool, np.bool_))).all():
        return "boolean", "True and False", {}
    if cells.map(lambda cell: isinstance(cell, (Number, decimal.Decimal))).all():
        return _infer_numbers(cells.astype("float64").to_numpy(), name, n_distinct)
    if cells.map(is_date).all():
        if cells.map(lambda cell: isinstance(cell, (datetime.time, datetime.timedelta, np.timedelta64))).any():
            return "drop", "times of day or differences of dates: make hours of them", {}
        return _infer_dates(cells)
    are_texts = cells.map(lambda cell: isinstance(cell, str))
    if are_texts.all():
        kind, reason, details = infer_texts(cells, root)
        return _checked_number(cells, name, n_distinct) if kind == "numeric" else (kind, reason, details)
    simple = cells.map(lambda cell: isinstance(cell, (str, Number, decimal.Decimal, bool, bytes)) or is_date(cell))
    if not simple.all():
        return "drop", f"cells are of type {type(cells[~simple].iloc[0]).__name__}", {}
    return _infer_mixed(cells, n_distinct, root)


def _checked_number(cells, name, n_distinct):
    """Return what numbers hold that are written as texts; codes are then texts."""
    kind, reason, details = _infer_numbers(pd.to_numeric(cells).to_numpy(dtype="float64"), name, n_distinct)
    return kind, f"{reason}, written as texts", details


def _infer_dates(cells):
    """Return what cells hold that are dates."""
    details = describe_dates(list(cells))
    if details is None:
        return "drop", "dates with a time zone beside dates without one: give all of them one", {}
    return "date", "dates", details


def _infer_mixed(cells, n_distinct, root):
    """Return what a mixture of numbers, texts and others holds: what nearly all of them are."""
    are_dates, are_texts = cells.map(is_date), cells.map(lambda cell: isinstance(cell, str))
    if are_dates.mean() >= 0.9:
        kind, reason, details = _infer_dates(cells[are_dates])
        return kind, f"{reason}, and others that become gaps", details
    if are_texts.mean() >= 0.9 and (found := infer_texts(cells[are_texts].astype(str), root))[0] == "text":
        return found
    are_numbers = pd.to_numeric(cells.astype(str), errors="coerce").notna()
    if are_numbers.mean() >= 0.9 and cells[are_numbers].nunique() > 8:
        return "numeric_text", "numbers, and texts that become gaps", {"n_numbers": 1}
    if np.mean([bool(numbers_in(str(cell))) for cell in cells]) >= 0.9 and n_distinct > 8:
        return "numeric_text", "numbers and texts with numbers in them", {"n_numbers": 1}
    if n_distinct >= max(0.9 * len(cells), _MIN_ROWS_OF_RUNNING):
        return "id", "cells of several types, another one in nearly every row", {}
    return "categorical", "cells of several types", {}


def _infer_numbers(values, name, n_distinct):
    """Return what numbers hold: quantities, codes or the number of the row."""
    if n_distinct == 2:
        return "boolean", "two numbers", {}
    finite = values[np.isfinite(values)]
    if not len(finite) or (finite != np.round(finite)).any():
        return "numeric", "numbers", {}
    unique = n_distinct >= 0.98 * len(values)
    least, most = finite.min(), finite.max()
    if len(values) >= _MIN_ROWS_OF_RUNNING and unique:
        # Years, and others that count something, begin elsewhere.
        if n_distinct == len(values) and most - least + 1 == n_distinct and least in (0, 1) and name:
            return "id", "a running number", {}
        if _ID_NAME.search(name):
            return "id", "whole numbers, another one in nearly every row, and the name of a key", {}
        if are_unix_times(least, most):
            return "numeric", "whole numbers, which may be seconds or milliseconds since 1970", {}
        if least >= 1e9 and len(str(int(least))) == len(str(int(most))) and most < 1e16 and not _says_time(name):
            return "id", "long numbers of one length, another one in nearly every row", {}
        return "numeric", "whole numbers", {}
    if _are_codes(name, least, most, n_distinct, len(values)):
        return "categorical", "whole numbers that are codes, by their name and range", {}
    return "numeric", "whole numbers", {}


def _says_time(name):
    return bool(re.search(r"time|date|stamp|epoch|unix|utc|created|updated|(^|_)(ts|at)$", name, re.IGNORECASE))


def _are_codes(name, least, most, n_distinct, n_rows):
    """Tell whether whole numbers that come again are names of something.

    Their names say so, and they leave gaps that quantities of so few values would not leave; or they are called keys.
    """
    if least < 0 or n_distinct > 0.5 * n_rows:
        return False
    if _ID_NAME.search(name):
        return True
    leaves_gaps = most - least + 1 > 1.5 * n_distinct
    return bool(_CODE_NAME.search(name)) and (leaves_gaps or n_distinct > 12)
