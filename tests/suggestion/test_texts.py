"""What columns of texts hold."""

import numpy as np
import pandas as pd
import pytest

from skstack.suggestion._texts import infer_texts

N = 60
RNG = np.random.default_rng(0)
WORDS = "red white dry sweet fruity oak tannin berry spice smooth long finish light body plum".split()


def _kind(texts, root=None):
    return infer_texts(pd.Series(list(texts)), root)[0]


def _details(texts):
    return infer_texts(pd.Series(list(texts)), None)[2]


def _numbers(low=1, high=1000):
    return RNG.integers(low, high, N)


NUMERIC_TEXTS = {
    "unit": ([f"{x} cc" for x in _numbers()], 1),
    "power": ([f"{x} bhp @ {y} rpm" for x, y in zip(_numbers(), _numbers(), strict=True)], 2),
    "experience": ([f"{x} years experience" for x in _numbers(1, 50)], 1),
    "price": ([f"${x:,.2f}" for x in RNG.lognormal(7, 1, N)], 1),
    "decimal commas": ([f"{x // 100:,}".replace(",", ".") + f",{x % 100:02d}" for x in _numbers()], 1),
    "currency in letters": ([f"Rs {x}" for x in _numbers()], 1),
    "percentage": ([f"{x / 10}%" for x in _numbers()], 1),
    "range": ([f"{x}k-{x + 20}k" for x in _numbers()], 2),
    "size": ([f"{x}x{x + 3}x{x + 9} cm" for x in _numbers()], 3),
    "time": ([f"{x % 24:02d}:{x % 60:02d}" for x in _numbers()], 2),
    "one or several": ([f"{x} reviews" if x % 3 else "1 review" for x in _numbers()], 1),
    "unit left out": ([f"{x} bhp @ {x} rpm" if x % 3 else f"{x}@{x}" for x in _numbers()], 2),
    "negative in parentheses": ([f"({x})" if x % 3 else f"{x}" for x in _numbers()], 1),
    "question marks": ([str(x) if x % 9 else "?" for x in _numbers(1, 1000)], 1),
}


@pytest.mark.parametrize("name", NUMERIC_TEXTS)
def test_numbers_in_texts(name):
    texts, n_numbers = NUMERIC_TEXTS[name]
    assert _kind(texts) == "numeric_text"
    assert _details(texts) == {"n_numbers": n_numbers}


@pytest.mark.parametrize(
    "texts",
    [
        [f"{x} kg" if x % 3 else f"{x} g" for x in _numbers()],
        [f"{x} weeks" if x % 2 else f"{x} years" for x in _numbers()],
        [f"{x} bedroom {('flat', 'house')[x % 2]} {('for sale', 'to let')[x % 5 % 2]}" for x in _numbers()],
    ],
)
def test_numbers_with_units_that_differ_have_words(texts):
    assert infer_texts(pd.Series(texts), None)[::2] == ("numeric_text", {"n_numbers": 1, "words": True})


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("numeric", [f"{x:.2f}" for x in RNG.normal(size=N)]),
        ("boolean", ["Yes", "No"] * 30),
        ("boolean", ["t", "f"] * 30),
        ("categorical", ["red", "blue", "green"] * 20),
        ("categorical", ["4 GB", "8 GB", "16 GB"] * 20),
        ("categorical", [f"{x:05d}" for x in RNG.integers(0, 9, N)]),  # zeros in front
        ("categorical", [f"Team {x}" for x in RNG.integers(0, 12, N)]),
        ("categorical", [f"AB-{x}" for x in RNG.integers(0, 12, N)]),
        ("categorical", ["https://a.com", "https://b.com"] * 30),
        ("id", [f"https://shop.example/item/{x}" for x in range(N)]),
        ("text", [f"https://shop.example/{RNG.choice(WORDS)}-{RNG.choice(WORDS)}/{x}" for x in range(N)]),
        ("id", [f"+49 {x:04d} 555 12" for x in range(N)]),
        ("numeric_text", [f"{x * 977} - {x * x * 9999}" for x in range(10, N + 10)]),
        ("numeric_text", [f"{40 + x / 97:.4f} -{80 - x / 89:.4f}" for x in range(N)]),
        ("numeric_text", [f"{x // 7}:{x % 60:02d}" for x in range(N)]),
        ("numeric_text", [f"{x}x{x + 3}x{x % 9}" for x in range(N)]),
        ("numeric", [str(x) for x in [*range(3, 200), "00"]]),
        ("id", [f"user{x}@mail.com" for x in range(N)]),
        ("id", [f"({200 + x}) 555-{1000 + x}" for x in range(N)]),
        ("id", [f"978-3-16-{148410 + x}-0" for x in range(N)]),
        ("id", [str(9780000000000 + x) for x in range(N)]),
        ("id", [f"{20201301 + x}" for x in range(N)]),  # no month 13
        ("id", [f"AB-{x}" for x in range(N)]),
        ("text", [" ".join(RNG.choice(WORDS, 6)) for _ in range(N)]),
        ("text", [";".join(RNG.choice(WORDS, 3)) for _ in range(N)]),
        ("text", ["-".join(RNG.choice(WORDS, 4)) for _ in range(N)]),
        ("text", [str(RNG.choice(WORDS, 3).tolist()) for _ in range(N)]),
        (
            "text",
            [f"{x} ways to {y}, a {z} tale" for x, y, z in zip(_numbers(), WORDS * 4, WORDS[::-1] * 4, strict=True)],
        ),
        ("drop", [f"https://pictures.example/{x}.jpg" for x in range(N)]),
    ],
)
def test_kinds_of_texts(kind, texts):
    assert _kind(texts) == kind


@pytest.mark.parametrize(
    ("date_format", "texts"),
    [
        (None, [f"2020-01-{1 + x % 28:02d}" for x in range(N)]),
        (None, [f"2020-01-01T10:{x:02d}:00+02:00" for x in range(N)]),
        ("%m/%d/%Y", [f"{1 + x % 12}/{1 + x % 28}/2020" for x in range(N)]),
        ("%d/%m/%Y", [f"{1 + x % 28}/{1 + x % 12}/2020" for x in range(N)]),
        ("%d.%m.%Y %H:%M", [f"{1 + x % 28}.12.2020 08:{x:02d}" for x in range(N)]),
        ("%B %d, %Y", [f"March {1 + x % 28}, {1990 + x % 9}" for x in range(N)]),
        ("%Y%m%d", [f"2020{1 + x % 12:02d}{1 + x % 28:02d}" for x in range(N)]),
        ("%b-%y", [f"Jan-{x:02d}" for x in range(N)]),
    ],
)
def test_dates_are_told_with_the_way_they_are_written(date_format, texts):
    assert infer_texts(pd.Series(texts), None)[::2] == ("date", {"date_format": date_format, "are_texts": True})


def test_a_few_texts_that_are_no_dates_become_gaps():
    texts = [f"2020-01-{1 + x % 28:02d}" for x in range(N)]
    assert _details([*texts, "unknown"]) == {"date_format": None, "are_texts": True}
    assert _kind([*texts, *["unknown"] * 20]) != "date"  # too many rows
    assert _kind([*texts, *(f"in week {x}" for x in range(6))]) != "date"
    # The days of most, and all that are there, would do for months.
    days = [f"{1 + x % 12:02d}/{1 + x % 12:02d}/20{x:02d}" for x in range(N)]
    assert _details([*days, "25/01/2020"])["date_format"] == "%d/%m/%Y"


def test_dates_of_several_time_zones_are_brought_to_one():
    summer = [moment.isoformat() for moment in pd.date_range("2020-03-01", periods=N, tz="Europe/Berlin")]
    assert _details(summer) == {"date_format": None, "are_texts": True, "tz": "UTC"}
    assert _kind([*summer, *(f"2020-01-{1 + x % 28:02d}" for x in range(N))]) != "date"


def test_strings_without_blanks_that_differ_are_read_by_character():
    molecules = ["C" * (1 + x % 7) + "(=O)" + "N" * (1 + x // 7) for x in range(N)]
    assert infer_texts(pd.Series(molecules), None)[::2] == ("text", {"chars": True})


def test_many_categories_of_words_are_texts_too():
    places = [f"{a}, {b}" for a in WORDS for b in WORDS[:4]] * 3
    assert infer_texts(pd.Series(places), None)[::2] == ("categorical", {"words": True})


@pytest.mark.parametrize(("kind", "ending"), [("image", "jpg"), ("image", "PNG"), ("audio", "wav")])
def test_paths_are_of_files_that_are_there(kind, ending, tmp_path):
    paths = [f"{x}.{ending}" for x in range(N)]
    _, reason, _ = infer_texts(pd.Series(paths), str(tmp_path))
    assert reason.endswith(f"none of which is found in {tmp_path}: give another image_root")
    (tmp_path / paths[33]).touch()  # not one of the first
    assert _kind(paths, str(tmp_path)) == kind
    assert _kind([str(tmp_path / path) for path in paths]) == kind
