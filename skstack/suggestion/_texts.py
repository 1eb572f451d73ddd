"""What columns of texts hold: numbers, dates, paths, categories, names of rows, or something to be read."""

import os
import re
from collections import Counter

import numpy as np
import pandas as pd

from ..reading._dates import parse_date
from ..reading._files import path_of
from ..reading._numbers_in_text import numbers_in, without_numbers, words_around
from ._dates import describe_dates
from ._kinds import MANY_CATEGORIES
from ._unix_times import are_unix_times

#: Distinct texts that are looked at closely.
_LOOKED_AT = 2000

#: So many files are looked for; one of them tells that paths lead somewhere.
_FILES = 200

#: Numbers in so few different texts are rather names of categories, such as "36 months" and "60 months".
_FEW_TEXTS = 8

#: So few different texts are categories, whatever they say.
_FEW_CATEGORIES = 20

#: So many texts that are something else, such as "unknown", leave a column what it is.
_FEW_ODD = 5

_PAIRS = ({"yes", "no"}, {"y", "n"}, {"true", "false"}, {"t", "f"}, {"on", "off"})

# Ways of writing dates beside ISO 8601.
_DAYS = [
    order.replace(" ", mark)
    for order in ("%m %d %Y", "%d %m %Y", "%Y %m %d", "%m %d %y", "%d %m %y", "%d %b %Y", "%d %B %Y", "%d %b %y")
    for mark in "/-. "
]
_DAYS += ["%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y", "%a %b %d %Y", "%A, %B %d, %Y", "%a, %d %b %Y"]
_DAYS += [order.replace(" ", mark) for order in ("%b %Y", "%B %Y", "%b %y", "%m %Y", "%Y %m") for mark in "/-. "]
_TIMES = ["", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S", ", %H:%M"]
_FORMATS = [days + time for time in _TIMES for days in _DAYS]

# Names that end with a number, such as "Team 7" and "AB-12"; amounts of money may look alike.
_NAME_AND_NUMBER = re.compile(
    r"^(?!(rs|inr|usd|us|eur|gbp|chf|cad|aud|jpy|cny|brl|mxn|sek|nok|dkk|pln)\b)[a-z][a-z\s._-]*#$"
)

_IMAGES = re.compile(r"\.(jpe?g|png|gif|bmp|webp|tiff?)$", re.IGNORECASE)
_SOUNDS = re.compile(r"\.(wav|flac|ogg|mp3|aiff?)$", re.IGNORECASE)
_ADDRESS = re.compile(r"^(https?://|www\.|ftp://)", re.IGNORECASE)
_MAIL = re.compile(r"^[^@\s]+@[^@\s]+\.\w+$")
_NAME_OF_ROW = re.compile(r"^(?=.*\d)[\w.:/\-+#]+$")


def infer_texts(cells, root):
    """Say what a column of texts holds.

    Parameters
    ----------
    cells : Series of str
        None of them missing.
    root : str or None
        Folder that relative paths start from.

    Returns
    -------
    kind, reason, details : str, str, dict
        As of :class:`~skstack.suggestion._kinds.Column`.
    """
    counts = cells.value_counts()
    distinct = counts.index[np.unique(np.linspace(0, len(counts) - 1, min(len(counts), _LOOKED_AT)).astype(int))]
    texts = [text.strip() for text in distinct]
    for look in (_as_boolean, _as_numbers, _as_dates, _as_paths, _as_name_of_row, _as_numbers_in_text):
        found = look(texts, counts, root)
        if found is not None:
            return found
    return _as_words(texts, counts)


def _as_boolean(texts, counts, root):
    if len(counts) == 2 and {text.lower() for text in texts} in _PAIRS:
        return "boolean", f"{texts[0]!r} and {texts[1]!r}", {}
    return None


# --- numbers ----------------------------------------------------------------------------------------------------------


def _as_numbers(texts, counts, root):
    are_numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").notna().to_numpy()
    others = [text for text, is_number in zip(texts, are_numbers, strict=True) if not is_number]
    if len(others) > _FEW_ODD or are_numbers.sum() <= len(others):
        return None
    zeros = [text for text in texts if len(text) > 1 and text[0] == "0" and text.isdigit()]
    if len(zeros) > 0.01 * len(texts) or (zeros and len(set(map(len, texts))) == 1):
        return _as_codes("digits with zeros in front", counts)
    if others and len(counts) <= _FEW_TEXTS:
        return None
    if others or not _are_numbers(counts.index):
        shown = ", ".join(repr(text) for text in others[:3]) or "others"
        return "numeric_text", f"numbers, and texts such as {shown}, which become gaps", {"n_numbers": 1}
    lengths = {len(text) for text in texts}
    if len(lengths) == 1 and all(text.isdigit() for text in texts):
        if lengths == {8} and all(text[:2] in ("19", "20") for text in counts.index):
            dates = {text: _date_of(text, "%Y%m%d") for text in counts.index}
            if None not in dates.values():
                return _dates_written("%Y%m%d", dates, [])
        if lengths.pop() >= 8 and not are_unix_times(int(min(texts)), int(max(texts))):
            return _as_codes("digits, all of one length", counts)
    return "numeric", "numbers, written as texts", {}


def _are_numbers(texts):
    return pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").notna().all()


def _as_codes(what, counts):
    if len(counts) >= 0.98 * counts.sum():
        return "id", f"{what}, another one in nearly every row", {}
    return "categorical", what, {}


def _as_numbers_in_text(texts, counts, root):
    if len(counts) <= _FEW_TEXTS:
        return None
    numbers = [numbers_in(text) for text in texts]
    if sum(map(bool, numbers)) < 0.9 * len(texts):
        return None
    templates = pd.Series([re.sub(r"\s+", " ", without_numbers(text)).lower() for text in texts]).value_counts()
    if _NAME_AND_NUMBER.match(templates.index[0]) and len(counts) <= 0.5 * counts.sum():
        return None
    common = templates[templates >= 0.02 * len(texts)]
    if len(common) > 10 or common.sum() < 0.85 * len(texts) or len(templates) > 0.3 * len(texts):
        return None
    n_numbers = min(max(template.count("#") for template in common.index), 4)
    shown = ", ".join(repr(template) for template in common.index[:3])
    what = "a number" if n_numbers == 1 else f"up to {n_numbers} numbers"
    # Units, or other words, that tell one row from another; a unit that lacks in some is the same there.
    around = {words_around(template) for template in common.index}
    words = {"words": True} if sum(bool(re.search(r"[^\W\d_]", said)) for said in around) > 1 else {}
    return (
        "numeric_text",
        f"{what} in texts like {shown}" + ", and words" * bool(words),
        {"n_numbers": n_numbers} | words,
    )


# --- dates ------------------------------------------------------------------------------------------------------------


def _as_dates(texts, counts, root):
    looked_at = [text for text in texts if _may_be_date(text)][:50]
    if not looked_at or not _are_few(len(texts) - sum(map(_may_be_date, texts)), len(texts)):
        return None
    best, fewest = None, len(counts)
    for date_format in (None, *_FORMATS):  # months before days where both would do
        if all(_date_of(text, date_format) for text in looked_at):
            dates = {text: _date_of(text, date_format) for text in counts.index}
            odd = [text for text, date in dates.items() if date is None]
            if len(odd) < fewest:
                best, fewest = (date_format, dates, odd), len(odd)
            if not odd:
                break
    if best is None or not _are_few(fewest, len(counts)) or counts[best[2]].sum() > 0.1 * counts.sum():
        return None
    return _dates_written(*best)


def _dates_written(date_format, dates, odd):
    """Return kind, reason and details of texts that are dates, given by text, beside a few others that are odd."""
    details = describe_dates([date for date in dates.values() if date is not None], date_format)
    if details is None:
        return None
    said = "dates as ISO 8601 writes them" if date_format is None else f"dates written as {date_format}"
    if odd:
        said += f", and texts such as {', '.join(map(repr, odd[:3]))}, which become gaps"
    return "date", said, details


def _are_few(n_others, n_texts):
    return n_others <= _FEW_ODD and n_others <= 0.1 * n_texts


def _may_be_date(text):
    return 6 <= len(text) <= 35 and bool(re.search(r"\d.*\D.*\d|\D", text) and re.search(r"\d", text))


def _date_of(text, date_format):
    """Return a text as a date, or None if it is none."""
    try:
        return parse_date(text.strip(), date_format)
    except ValueError:
        return None


# --- paths ------------------------------------------------------------------------------------------------------------


def _as_paths(texts, counts, root):
    for kind, what, pattern in (("image", "images", _IMAGES), ("audio", "recordings", _SOUNDS)):
        if sum(bool(pattern.search(text)) for text in texts) >= 0.95 * len(texts):
            return _as_files(kind, what, texts, root)
    return None


def _as_files(kind, what, texts, root):
    if any(_ADDRESS.match(text) for text in texts):
        return "drop", f"addresses of {what}, which are not fetched: give files", {"lacks_files": True}
    looked_at = texts[:: max(1, len(texts) // _FILES)]
    if not any(os.path.exists(path_of(text, root)) for text in looked_at):
        where, which = ("the working directory", "") if root is None else (root, "another ")
        said = f"paths of {what}, none of which is found in {where}: give {which}image_root"
        return "drop", said, {"lacks_files": True}
    return kind, f"paths of {what}", {}


# --- words ------------------------------------------------------------------------------------------------------------


def _as_name_of_row(texts, counts, root):
    if len(counts) < max(0.98 * counts.sum(), 10):
        return None
    for what, pattern in (("web addresses", _ADDRESS), ("mail addresses", _MAIL), ("names of rows", _NAME_OF_ROW)):
        if sum(bool(pattern.match(text)) for text in texts) >= 0.95 * len(texts):
            if what != "names of rows" and _share_words(texts):
                return "text", f"{what} that share words", {}
            is_number = what == "names of rows" and sum(_is_quantity(text) for text in texts) > 0.1 * len(texts)
            return None if is_number else ("id", f"{what}, another one in nearly every row", {})
    if all(re.fullmatch(r"[\d\s().+/-]+", text) and sum(map(str.isdigit, text)) >= 7 for text in texts):
        n_digits = pd.Series([sum(map(str.isdigit, text)) for text in texts])
        if (n_digits == n_digits.mode()[0]).mean() >= 0.9 and not any(re.search(r"\d\.\d+\s", text) for text in texts):
            return "id", "numbers that are dialled or looked up, another one in nearly every row", {}
    return None


def _share_words(texts):
    """Tell whether texts have, on average, a word that some of the others have too, but not most of them."""
    words = [set(re.findall(r"[a-z]{3,}", text.lower())) for text in texts]
    counts = Counter(word for of_text in words for word in of_text)
    shared = {word for word, count in counts.items() if 2 <= count <= 0.5 * len(texts)}
    return sum(len(of_text & shared) for of_text in words) >= len(texts)


def _is_quantity(text):
    """Tell whether a text without blanks may be numbers with or without a unit: 87bhp, 10k-20k, 5.2%, 5:29, 30x26."""
    if re.fullmatch(r"\d+(:\d{2}){1,2}([.,]\d+)?|\d+([.,]\d+)?([xX]\d+([.,]\d+)?){1,3}", text):
        return True
    return bool(
        re.fullmatch(r"[<>~]?\d[\d.,]*[a-zA-Z%/\d]{0,4}(-\d[\d.,]*[a-zA-Z%]{0,4})?\+?", text)
    ) and not re.fullmatch(r"[0-9a-f]{6,}", text)


def _as_words(texts, counts):
    n_rows = counts.sum()
    n_words = np.mean([len(re.findall(r"[^\s;|,/_-]+", text)) for text in texts])
    share = len(counts) / n_rows
    if n_words < 1.5 and share >= 0.8 and len(counts) > _FEW_CATEGORIES:
        return "text", "strings without blanks, another one in most rows: read by character", {"chars": True}
    is_text = share >= 0.5 and n_words >= 2 and len(counts) > 10
    if is_text or (n_words >= 5 and len(counts) > 2 * _FEW_CATEGORIES):
        return "text", f"{n_words:.0f} words on average, {len(counts)} different texts", {}
    # Rows of rare categories are known by their words.
    words = bool(len(counts) > MANY_CATEGORIES and n_words >= 1.5)
    return "categorical", f"{len(counts)} different texts" + ", of words" * words, {"words": words}
