"""Stacks of several targets, labels or tasks: what is drawn of them, and what can be said of all at once."""

import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
from _insides import image_branch, patch_images, table_of
from _small import TRAINING, stack_classifier, stack_regressor
from matplotlib import pyplot as plt
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skstack import MultimodalStackingMultitask, MultitaskNetwork
from skstack.branches import NumericBranch, TextBranch
from skstack.inspection import (
    MemberPredictionsDisplay,
    WaterfallDisplay,
    check_stack,
    modality_importance,
    one_pixel_attack,
    report,
    shapley_values,
)
from skstack.inspection._one_target import OneTarget, targets_of

KINDS = ["numbers", "gaps", "labels", "columns", "tasks"]


@cache
def table():
    generator = np.random.default_rng(0)
    X = table_of(np.concatenate([patch_images(), 255 - patch_images()] * 5))
    X["area"] = generator.normal(size=len(X))
    X["note"] = generator.choice(["a house", "b garden", "c quiet old house"], len(X))
    size = np.where(X["area"] + generator.normal(size=len(X)) > 0, "large", "small")
    return X, pd.DataFrame({"price": 2.0 * X["area"], "size": size, "kind": generator.choice(["a", "b", "c"], len(X))})


def parts(learner):
    return [
        ("photo", image_branch(), ["photo"]),
        ("numbers", NumericBranch((2,), embedding=None), ["area"]),
        ("text", TextBranch(dim=2), ["note"]),
        ("learner", learner, ["area"]),
    ]


@cache
def fitted(kind):
    """Return a fitted stack and its targets."""
    X, y = table()
    if kind == "tasks":
        y = y[["size", "price"]]
        stack = MultimodalStackingMultitask(parts(Ridge()), network=MultitaskNetwork(**TRAINING), cv=2, random_state=0)
    elif kind in ("numbers", "gaps"):
        y = np.column_stack([y["price"], -y["price"]])
        y = pd.DataFrame(y, columns=["price", "less"]).mask(np.eye(*y.shape) > 0) if kind == "gaps" else y
        stack = stack_regressor(parts(Ridge()))
    else:
        y = np.column_stack([X["area"] > 0, y["size"] == "large"]).astype(int) if kind == "labels" else y.iloc[:, 1:]
        stack = stack_classifier(parts(LogisticRegression()))
    return stack.fit(X, y), y


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_shows_the_first(kind, tmp_path):
    stack, y = fitted(kind)
    page = report(stack, table()[0], y, tmp_path / "page.html", n_examples=2).read_text(encoding="utf-8")
    page = re.sub('src="[^"]*"', "", page)
    left_out = re.findall("[^>]*[Ll]eft out[^<]*", page)
    if kind == "columns":  # whose probabilities are a list
        assert left_out == [left_out[0]] and left_out[0].startswith("How a prediction comes about: left out.")
    else:
        assert left_out == []
    first = {"columns": ", size", "tasks": ", size"}.get(kind, "")
    assert f"Of several targets the first is shown{first}." in page
    assert "Of several outputs the first is shown" in page
    assert page.count('class="words"') == 2
    assert plt.get_fignums() == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_models_of_each_target_are_drawn(kind):
    stack, y = fitted(kind)
    X = table()[0]
    for place, target in enumerate(targets_of(stack)):
        display = MemberPredictionsDisplay.from_estimator(stack, X, y, target=target)
        given = pd.Series(np.asarray(y)[:, place])
        assert display.y.tolist() == given[given.notna()].tolist()
        expected = np.asarray(stack.predict(X))[given.notna(), place]
        values = display.predictions["stack"]
        predicted = values if display.classes is None else display.classes[values.argmax(axis=1)]
        assert predicted.tolist() == expected.tolist()
        if display.classes is None:
            member = OneTarget(stack, target).of_members(stack.transform(X))["network"]
            np.testing.assert_allclose(display.predictions["network"], member[given.notna()])
        of_folds = MemberPredictionsDisplay.from_out_of_fold(stack, y, target=target)
        assert [*of_folds.predictions] == [*display.predictions]
        assert {len(values) for values in of_folds.predictions.values()} == {len(of_folds.y)}
    plt.close("all")


def test_each_column_is_where_it_belongs():
    stack, _ = fitted("columns")
    of_members = OneTarget(stack, "kind").of_members(stack.oof_predictions_)
    assert {name: values.shape for name, values in of_members.items()} == {"network": (40, 3), "learner": (40, 3)}
    for values in of_members.values():
        np.testing.assert_allclose(values.sum(axis=1), 1.0, rtol=1e-5)
    stack, _ = fitted("tasks")
    assert [*OneTarget(stack, "size").of_members(stack.oof_predictions_)] == ["network"]  # a ridge knows no classes


def test_a_target_that_is_not_there_is_refused():
    stack, y = fitted("tasks")
    with pytest.raises(ValueError, match=r"one target can be drawn at a time, give 'target', one of \['size', 'price'"):
        MemberPredictionsDisplay.from_out_of_fold(stack, y)
    with pytest.raises(ValueError, match=r"'target' should be one of \['size', 'price'\], got 'prise'\. Did you mean"):
        MemberPredictionsDisplay.from_out_of_fold(stack, y, target="prise")
    one = stack_regressor([("ridge", Ridge(), ["area"])]).fit(table()[0], table()[1]["price"])
    with pytest.raises(ValueError, match="'target' is for stacks of several targets, got 0"):
        MemberPredictionsDisplay.from_out_of_fold(one, table()[1]["price"], target=0)


def test_a_pipeline_changes_rows_before_they_are_drawn():
    X, y = table()
    stack = stack_regressor([("ridge", Ridge(), ["area"])])
    pipeline = make_pipeline(FunctionTransformer(lambda X: X.assign(area=3.0 - X["area"])), stack).fit(X, y["price"])
    display = MemberPredictionsDisplay.from_estimator(pipeline, X, y["price"])
    np.testing.assert_allclose(display.predictions["stack"], pipeline.predict(X))
    plt.close("all")


@pytest.mark.parametrize("kind", ["labels", "columns", "tasks"])
def test_background_stands_in_for_absent_modalities_of_all_targets(kind):
    stack, y = fitted(kind)
    X = table()[0]
    result = modality_importance(stack, X, y, method="shapley", background=X.tail(3))
    np.testing.assert_allclose(result.score, stack.score(X, y))
    one = modality_importance(stack, X, y, method="shapley", background=X.tail(1))
    alone = stack.predict(pd.concat([X.tail(1)] * len(X)))
    np.testing.assert_allclose(one.base_score, _score(stack, alone, y))


def _score(stack, predictions, y):
    """Return the score of predictions that are known."""
    alike = object.__new__(type(stack))
    vars(alike).update(vars(stack), predict=lambda X: predictions)
    return alike.score(None, y)


def test_each_of_two_labels_has_values():
    stack, _ = fitted("labels")
    X = table()[0].head(3)
    result = shapley_values(stack, X, background=table()[0].tail(3))
    assert result.classes is None
    np.testing.assert_allclose(result.predictions, stack.predict_proba(X))
    WaterfallDisplay.from_shapley_values(result, target=1)
    with pytest.raises(ValueError, match=r"'target' should be one of \[0, 1\], got 'large'"):
        WaterfallDisplay.from_shapley_values(result, target="large")
    plt.close("all")


@pytest.mark.parametrize("kind", ["labels", "columns", "tasks", "numbers"])
def test_an_attack_needs_one_output(kind):
    stack, _ = fitted(kind)
    message = "one number or class to a row, but the estimator predicts several"
    with pytest.raises(ValueError, match=message + (r".*as estimator\.for_task" if kind == "tasks" else "")):
        one_pixel_attack(stack, table()[0].head(1), branch="photo", population=5, max_iter=1)


def test_one_of_several_tasks_is_attacked():
    stack, X = fitted("tasks")[0].for_task("size"), table()[0].head(1)
    result = one_pixel_attack(stack, X, branch="photo", population=5, max_iter=1, random_state=0)
    np.testing.assert_allclose(result.scores, stack.predict_proba(X).max(axis=1))


def test_rows_without_a_target_are_looked_at_for_duplicates():
    stack, y = fitted("gaps")
    assert check_stack(stack, table()[0], y, checks=["duplicates"]) == []
