"""Sections of a report: data, base models and scores, out-of-fold diagnostics, training, network, settings."""

import platform
from collections import Counter
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from sklearn.base import is_classifier

from .._columns import branch_columns
from ..reading._missing import missing_rows as missing_cells
from ..reading._missing import single_columns
from ..suggestion._code import code_of_parts
from ._base_models import networks_of
from ._check import NotApplicable, parts_of
from ._check_stack import findings_of
from ._display import axes_for
from ._member_predictions import MemberPredictionsDisplay
from ._network_display import NetworkDisplay
from ._one_target import OneTarget, targets_of
from ._report_page import Code, Section, Table, Text, picture, the_first
from ._training_history import TrainingHistoryDisplay

_PACKAGES = ("skstack", "scikit-learn", "keras", "tensorflow", "jax", "numpy", "pandas", "scikeras", "skrub")

#: Letters of a cell that is shown.
_MAX_LETTERS = 60


def findings(reported):
    """Return what the checks find."""
    reported.need_stack()
    found = findings_of(reported.checked)
    reported.n_findings = len(found)
    blocks = [Text(f"{finding.check}: {finding.message}", kind=finding.severity) for finding in found]
    intro = "What check_stack finds: issues make scores or predictions wrong, tips ask for a look."
    return Section("Checks", blocks or [Text("Nothing was found.", kind="good")], intro)


def data(reported):
    """Return what each column holds, and who reads it."""
    columns, readers = reported.columns, _readers(reported)
    table = branch_columns(reported.X, None)
    cells = single_columns(table) if table.ndim == 2 else [table] * len(columns)
    rows = []
    for column, of_column in zip(columns, cells, strict=True):
        missing = missing_cells(of_column).mean()
        rows.append(
            [
                column.name,
                column.kind,
                f"{missing:.1%}" if missing else "",
                f"{column.n_distinct:,}" if column.n_distinct else "",
                _example(of_column),
                ", ".join(readers.get(column.position, [])) or "nobody",
            ]
        )
    header = ["column", "kind", "missing", "distinct", "first cell", "read by"]
    intro = "What the cells look like, and which branches and learners read the column."
    return Section("Data", [Table(header, rows, numeric=(2, 3)), *_target(reported)], intro)


def _readers(reported):
    readers = {}
    for name, positions in reported.parts:
        for position in positions:
            readers.setdefault(position, []).append(name)
    return readers


def _example(cells):
    missing = missing_cells(cells)
    if missing.all():
        return ""
    first = int(np.argmin(missing))
    cell = cells.iloc[first, 0] if hasattr(cells, "iloc") else cells[first]
    cell = cell[0] if isinstance(cell, np.ndarray) and cell.shape == (1,) else cell
    if isinstance(cell, np.ndarray):
        return f"array of shape {cell.shape}"
    text = str(cell)
    return text if len(text) <= _MAX_LETTERS else text[: _MAX_LETTERS - 1] + "…"


def _target(reported):
    y = np.asarray(reported.y)
    if y.ndim > 1 and y.shape[1] > 1:
        return [Text(f"{y.shape[1]} targets for each row.")]
    y = y.ravel()
    if is_classifier(reported.stack):
        counts = Counter(y.tolist())
        rows = [[str(name), f"{count:,}", f"{count / len(y):.1%}"] for name, count in counts.most_common(20)]
        return [Table(["class", "rows", "part"], rows, numeric=(1, 2))]
    quantiles = np.quantile(y.astype("float64"), [0, 0.25, 0.5, 0.75, 1])
    names = ["least", "first quartile", "median", "third quartile", "largest"]
    return [Table(["target", *names], [["", *(f"{value:,.6g}" for value in quantiles)]], numeric=range(1, 6))]


def scores(reported):
    """Return the scores of base models, final estimator and averages, with standard errors."""
    reported.need_stack()
    report = reported.stack.stack_report_
    several = "task" in report.index.names
    blocks = []
    for task in report.index.unique("task") if several else [None]:
        of_task = report.loc[task] if several else report
        blocks += [Text(f"Task {task}:")] if several else []
        blocks += _scores(of_task)
    intro = (
        "Out of fold: every row is predicted by models that have not seen it. Behind ± stands the standard error of "
        "the mean over rows, or over groups; the difference is that to the best base model. The stack predicts with "
        "the marked line."
    )
    return Section("Base models and scores", blocks, intro)


def _scores(report):
    rows, marked = [], []
    for (kind, name), line in report.iterrows():
        if not np.isfinite(line["score"]):
            continue
        marked += [len(rows)] if line["used"] else []
        score = f"{line['score']:.4f} ± {line['standard_error']:.4f}"
        difference = f"{line['difference']:+.4f} ± {line['difference_standard_error']:.4f}"
        rows.append([kind, str(name), score, difference])
    scoring, n_rows = report["scoring"].iloc[0], int(report["n_rows"].iloc[0])
    table = Table(["", "name", scoring, "difference to the best"], rows, numeric=(2, 3), marked=tuple(marked))
    shown = report[np.isfinite(report["score"])].iloc[::-1]
    axes = axes_for(None, "report", figsize=(6.4, 0.32 * len(shown) + 0.9), layout="constrained")
    colors = ["C1" if used else "C0" for used in shown["used"]]
    for place, (score, error, color) in enumerate(zip(shown["score"], shown["standard_error"], colors, strict=True)):
        axes.errorbar(score, place, xerr=error, fmt="o", color=color, capsize=3)
    axes.set(yticks=range(len(shown)), xlabel=scoring)
    axes.set_yticklabels([f"{name} ({kind})" for kind, name in shown.index], parse_math=False)
    axes.grid(axis="x", alpha=0.3)
    caption = f"{scoring} on {n_rows:,} rows with standard errors; what the stack predicts with in orange."
    return [table, picture(axes.figure, caption)]


def diagnostics(reported):
    """Return residuals, or confusion and calibration, of stack and base models side by side."""
    reported.need_stack()
    kinds = {"actual": "Targets against out-of-fold predictions", "residuals": "Residuals of out-of-fold predictions"}
    target = next(iter(targets_of(reported.stack)), None)
    if OneTarget(reported.stack, target).classes is not None:
        kinds = {
            "confusion": "Confusion of out-of-fold predictions, each row of a matrix 1 in sum",
            "calibration": "Calibration of out-of-fold probabilities",
        }
    blocks = []
    for kind, caption in kinds.items():
        if kind == "calibration" and not hasattr(reported.stack, "predict_proba"):
            continue
        display = MemberPredictionsDisplay.from_out_of_fold(reported.stack, reported.y, target=target, kind=kind)
        blocks.append(picture(display.figure_, f"{caption}, by the stack and by each base model."))
    return Section("Out-of-fold diagnostics", blocks, the_first(target, "targets"))


def training(reported):
    """Return the curves of the training of each network."""
    display = TrainingHistoryDisplay.from_estimator(reported.stack)
    caption = "Loss after each epoch: mean over folds with a band of one standard deviation; dotted, all rows."
    return Section("Training", [picture(display.figure_, caption)])


def network(reported):
    """Return a drawing of each network."""
    blocks = []
    for name in networks_of(reported.stack):
        display = NetworkDisplay.from_estimator(reported.stack, name=name)
        blocks.append(picture(display.figure_, f"{name}: what a row goes through, and how many weights are trained."))
    if not blocks:
        raise NotApplicable("There is no network.")
    return Section("Networks", blocks)


def settings(reported):
    """Return the estimator as code, and versions."""
    stack = reported.stack
    parts = parts_of(stack)
    blocks = [Code(code_of_parts(parts))] if parts else []
    others = {"estimators", "branches"}
    params = {key: repr(value) for key, value in stack.get_params(deep=False).items() if key not in others}
    blocks.append(Table(["parameter", "value"], [[key, " ".join(said.split())] for key, said in params.items()]))
    versions = [["Python", platform.python_version()], ["machine", platform.platform()]]
    for package in _PACKAGES:
        try:
            versions.append([package, version(package)])
        except PackageNotFoundError:
            continue
    blocks.append(Table(["package", "version"], versions))
    return Section("Settings and versions", blocks, f"A {type(stack).__name__}.")
