"""The page about a stack: whole, alone, safe, and readable in a real browser."""

import re

import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
from _browser import look
from _inspected import fitted_classifier, fitted_network, fitted_regressor, labels, search_of, table
from matplotlib import pyplot as plt
from scipy.sparse import csr_array
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack.branches import ImageBranch, NumericBranch, TextBranch
from skstack.inspection import _check, _report, report
from skstack.suggestion._columns import describe_columns

EVIL = "<script>console.error('evil')</script>"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Return a report of a stack of numbers, photos and texts, in which names and cells are code."""
    generator = np.random.default_rng(0)
    n_rows = 40
    X = pd.DataFrame({EVIL: generator.normal(size=n_rows), "garden": generator.normal(size=n_rows)})
    X["photo"] = list(generator.integers(0, 256, (n_rows, 12, 12, 3)).astype("uint8"))
    X["text"] = generator.choice(["a house of bricks", "quiet and green", f"{EVIL} loud"], n_rows)
    X.loc[0, "text"] = f"{EVIL} loud"
    y = (X[EVIL] + X["garden"] + 0.1 * generator.normal(size=n_rows)).to_numpy()
    stack = MultimodalStackingRegressor(
        [
            ("numbers", NumericBranch((4,), embedding=None), [EVIL, "garden"]),
            ("photo", ImageBranch(size=(12, 12), filters=(2,)), ["photo"]),
            ("text", TextBranch(dim=4), ["text"]),
            ("ridge", Ridge(), ["garden"]),
        ],
        network=MultimodalNetworkRegressor(head=(4,), epochs=2, early_stopping=False),
        cv=2,
        random_state=0,
    ).fit(X, y)
    path = tmp_path_factory.mktemp("report") / "page.html"
    assert report(stack, X, y, path, n_examples=2, title=f"Houses {EVIL}") == path
    assert plt.get_fignums() == []
    return path.read_text(encoding="utf-8")


HEADINGS = [
    "Checks",
    "Data",
    "Base models and scores",
    "Out-of-fold diagnostics",
    "Modalities",
    "What base models add",
    "Examples",
    "Training",
    "Networks",
    "Settings and versions",
]


def _headings(page):
    return [re.sub("<[^>]+>", "", heading).strip() for heading in re.findall("<h2>(.*?)</h2>", page)]


def test_the_page_has_all_sections_and_leaves_nothing_out(page):
    assert _headings(page) == HEADINGS
    assert "Left out" not in page and "left out." not in page
    assert page.count("<img ") >= 9
    assert page.count('class="words"') == 2


def test_the_page_loads_nothing(page):
    assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page)
    assert "url(" not in page and "@import" not in page


def test_what_comes_from_data_is_no_code(page):
    assert "<script" not in page.lower()
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("width", [1280, 400])
def test_a_browser_shows_it_without_errors_or_sideways_scrolling(page, width, tmp_path):
    seen = look(page, width, tmp_path)
    assert seen.console == []
    assert seen.headings == HEADINGS
    assert len(seen.pictures) >= 9 and min(seen.pictures) > 100
    assert seen.scroll_width <= seen.width
    assert seen.wide == []
    assert seen.font_size >= 14


def test_the_browser_would_have_told(tmp_path):
    seen = look(f'<body style="width: 900px"><img src="data:,"><p>wide</p>{EVIL}', 400, tmp_path)
    assert len(seen.console) == 1 and "evil" in seen.console[0]
    assert seen.scroll_width > seen.width
    assert seen.pictures == [0]
    assert seen.wide


def test_columns_are_described_once_for_checks_and_page(tmp_path, monkeypatch):
    described = []
    monkeypatch.setattr(
        _check, "describe_columns", lambda X, root: described.append(len(X)) or describe_columns(X, root=root)
    )
    page = report(fitted_classifier(3), table()[0], labels(3), tmp_path / "page.html").read_text(encoding="utf-8")
    assert described == [90] and "categorical" in page


def test_a_classifier_gets_confusion_and_calibration(tmp_path):
    page = report(fitted_classifier(3), table()[0], labels(3), tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Confusion of out-of-fold predictions" in page
    assert "Calibration of out-of-fold probabilities" in page
    assert "Left out" not in page
    assert "Examples" not in _headings(page)  # there are neither images nor texts


def test_a_network_alone_and_a_pipeline(tmp_path):
    X, y = table()
    page = report(fitted_network(), X, y, tmp_path / "page.html").read_text(encoding="utf-8")
    assert _headings(page) == ["Data", "Modalities", "Training", "Networks", "Settings and versions"]
    pipeline = make_pipeline(FunctionTransformer(), fitted_regressor())
    page = report(pipeline, X, y, tmp_path / "page.html", X_test=X[:20], y_test=y[:20]).read_text(encoding="utf-8")
    assert "On rows that the estimator was not fitted to." in page
    assert "Left out" not in page


def test_other_rows_and_estimators_are_refused(tmp_path):
    X, y = table()
    with pytest.raises(ValueError, match="the stack was fitted to 90"):
        report(fitted_regressor(), X[:10], y[:10], tmp_path / "page.html")
    with pytest.raises(ValueError, match="'X_test' and 'y_test' go together"):
        report(fitted_regressor(), X, y, tmp_path / "page.html", X_test=X)
    with pytest.raises(TypeError, match="expected a fitted stack or network, got Ridge"):
        report(Ridge().fit(X[["area"]], y), X, y, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_examples": -1}, ValueError, "n_examples == -1"),
        ({"n_examples": "a"}, TypeError, "n_examples must be an instance of"),
        ({"random_state": "z"}, ValueError, "'z' cannot be used to seed"),
        ({"path": None}, TypeError, "'path' should be a string or a path, got NoneType"),
        ({"path": "."}, IsADirectoryError, "'path' is a folder"),
        ({"path": "missing/page.html"}, FileNotFoundError, "the folder of 'path', 'missing', does not exist"),
    ],
)
def test_arguments_of_no_use_are_refused_before_anything_is_computed(arguments, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_report, "SECTIONS", None)
    with pytest.raises(error, match=message):
        report(fitted_regressor(), *table(), **{"path": "page.html", **arguments})


def test_a_folder_that_cannot_be_written_is_refused_first(tmp_path, monkeypatch):
    monkeypatch.setattr(_report, "SECTIONS", None)
    monkeypatch.setattr(_report.os, "access", lambda path, mode: path != tmp_path)  # whoever runs this may write
    with pytest.raises(PermissionError, match="cannot be written"):
        report(fitted_regressor(), *table(), tmp_path / "page.html")


def test_other_columns_are_refused_first(tmp_path, monkeypatch):
    X, y = table()
    lacking = X.drop(columns="city")
    monkeypatch.setattr(_report, "SECTIONS", None)
    for rows in ({"X": lacking}, {"X": X, "X_test": lacking, "y_test": y}):
        with pytest.raises(ValueError, match="yet now missing:\n- city"):
            report(fitted_regressor(), y=y, path=tmp_path / "page.html", **rows)


def test_an_error_of_any_kind_costs_one_section(tmp_path, monkeypatch):
    def training(reported):
        raise KeyError("loss")

    monkeypatch.setattr(_report, "SECTIONS", (training, _report.settings))
    page = report(fitted_regressor(), *table(), tmp_path / "page.html").read_text(encoding="utf-8")
    assert _headings(page) == ["Training", "Settings and versions"]
    assert "Left out: KeyError: &#39;loss&#39;" in page


def test_tables_of_others_and_searches(tmp_path):
    X, y = table()
    for rows in (polars.from_pandas(X), pyarrow.Table.from_pandas(X, preserve_index=False)):
        page = report(search_of(fitted_regressor()), rows, y, tmp_path / "page.html", X_test=rows, y_test=y)
        page = page.read_text(encoding="utf-8")
        assert "Left out" not in page and "left out." not in page
        assert _headings(page) == [heading for heading in HEADINGS if heading != "Examples"]


def test_sparse_rows_have_no_columns_to_show(tmp_path):
    X, y = csr_array(table()[0][["area", "rooms"]].to_numpy()), table()[1]
    stack = MultimodalStackingRegressor([("one", Ridge()), ("other", Ridge(10.0))], cv=2).fit(X, y)
    page = report(stack, X, y, tmp_path / "page.html").read_text(encoding="utf-8")
    assert {"Checks", "Base models and scores", "Settings and versions"} < {*_headings(page)}
    assert "Data" not in _headings(page)
    assert "Left out: X is a sparse matrix, whose cells cannot be missing" in page
