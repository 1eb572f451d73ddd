"""Sections of a report that explain: modalities, base models, single rows."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import check_random_state

from .._compat import num_samples, take
from .._parts import split_part
from ..branches._image import ImageBranch
from ..branches._text import TextBranch
from ._base_models import networks_of
from ._check import NotApplicable
from ._display import axes_for
from ._grad_cam import grad_cam
from ._image_map_display import ImageMapDisplay
from ._integrated_gradients import integrated_gradients
from ._interaction_display import ModalityInteractionDisplay
from ._member_importance import member_importance
from ._member_importance_display import MemberImportanceDisplay
from ._modality_importance import modality_importance
from ._modality_importance_display import ModalityImportanceDisplay
from ._networks import find_networks
from ._report_page import Section, Table, Text, Words, picture, the_first
from ._shapley_values import shapley_values
from ._waterfall_display import WaterfallDisplay

#: Rows that modalities are judged on, and rows whose cells stand in for absent ones.
_N_ROWS, _N_BACKGROUND = 200, 10

_HELD_OUT = "On rows that the estimator was not fitted to."
_SEEN = "On rows that the estimator was fitted to: give X_test and y_test to see what modalities are worth for others."


def modalities(reported):
    """Return Shapley values and interactions of modalities, for the score and for one prediction."""
    rows = _chosen(reported, _N_ROWS)
    X, y = take(reported.X_test, rows, axis=0), take(reported.y_test, rows, axis=0)
    intro = _HELD_OUT if reported.is_held_out else _SEEN
    how = {"method": "shapley", "scoring": _scoring(reported.stack, y)}
    try:
        background, result = None, modality_importance(reported.stack, X, y, **how)
    except ValueError:  # a learner that cannot do without, say
        background = take(reported.X, _chosen(reported, _N_BACKGROUND, reported.X), axis=0)
        result = modality_importance(reported.stack, X, y, background=background, **how)
        intro += f" In the place of a modality that is absent stand its cells in {len(background)} rows."
    if len(result.modalities) < 2:
        raise NotApplicable("There is one modality.")
    table = [
        [name, ", ".join(map(str, columns)), f"{value:+.3f}"]
        for (name, columns), value in zip(result.modalities.items(), result.importances_mean, strict=True)
    ]
    header = ["modality", "columns", "Shapley value"]
    name = "The score" if how["scoring"] is None else "The score, {},".format(how["scoring"])
    score = f"{name} is {result.score:.3f} with all modalities and {result.base_score:.3f} with none."
    captions = (
        "How much each modality adds to the score: Shapley values, which share what several modalities say.",
        "What pairs of modalities add together beyond what each adds alone: above 0 they help one another.",
    )
    square = axes_for(None, "report", figsize=(1.6 + 0.7 * len(table), 0.9 + 0.6 * len(table)), layout="constrained")
    interactions = ModalityInteractionDisplay.from_interactions(result.interactions, result.modalities, ax=square)
    blocks = [
        Text(score),
        Table(header, table, numeric=(2,)),
        picture(ModalityImportanceDisplay.from_importance(result, ax=_bars(table)).figure_, captions[0]),
        picture(interactions.figure_, captions[1]),
    ]
    return Section("Modalities", [*blocks, *_one_prediction(reported, background)], intro)


def _scoring(stack, y):
    """Return by what modalities are judged: probabilities where there are some, which say more than classes."""
    classes = getattr(stack, "classes_", None)
    known = isinstance(classes, np.ndarray) and hasattr(stack, "predict_proba")
    return "neg_log_loss" if known and len(np.unique(y)) == len(classes) else None


def _bars(names):
    """Return axes of a new figure for a bar for each name."""
    return axes_for(None, "report", figsize=(6.4, 1.1 + 0.4 * len(names)), layout="constrained")


def _one_prediction(reported, background):
    stack, row = reported.stack, _chosen(reported, 1)
    if hasattr(stack, "for_task"):  # the first of several tasks
        stack = stack.for_task(next(iter(stack.tasks_)))
    try:
        values = shapley_values(stack, take(reported.X_test, row, axis=0), background=background)
    except TypeError as error:  # several columns of classes
        return [Text(f"How a prediction comes about: left out. {error}", kind="tip")]
    target = None
    if values.shapley_values.ndim > 2:  # the class that is predicted, or the first of several targets
        place = 0 if values.classes is None else int(values.predictions[0].argmax())
        target = place if values.classes is None else values.classes[place]
    display = WaterfallDisplay.from_shapley_values(values, target=target, ax=_bars(values.modalities))
    return [picture(display.figure_, f"How the prediction for the row at position {row[0]} comes about.")]


def members(reported):
    """Return what each base model adds to the stack."""
    reported.need_stack()
    table = member_importance(reported.stack, reported.X, reported.y, groups=reported.groups)
    first = table.index[0][0] if "task" in table.index.names else None
    lines = table if first is None else table.loc[first]
    display = MemberImportanceDisplay.from_importance(lines, ax=_bars(lines))
    caption = "How far the out-of-fold score falls without a base model, with standard errors."
    return Section("What base models add", [picture(display.figure_, caption)], the_first(first, "targets"))


# --- single rows ------------------------------------------------------------------------------------------------------


def examples(reported):
    """Return rows with the places of images and the words that speak for what is predicted."""
    shown = _shown_branches(reported.stack)
    if not shown or not reported.n_examples:
        raise NotApplicable("There are neither images nor texts.")
    rows = _chosen(reported, reported.n_examples)
    X = take(reported.X_test, rows, axis=0)
    predicted, actual = np.asarray(reported.stack.predict(X)), np.asarray(take(reported.y_test, rows, axis=0))
    names = [f"row at position {row}" for row in rows]
    table = [[name, _said(true), _said(value)] for name, true, value in zip(names, actual, predicted, strict=True)]
    blocks = [Table(["", "true", "predicted by the stack"], table, numeric=(1, 2))]
    explained = set()
    for name, branch in shown.items():
        make = _images if isinstance(branch, ImageBranch) else _texts
        output = find_networks(reported.stack, name)[0].first_output
        try:
            blocks += make(reported.stack, X, name, names, output)
            explained.add(output)
        except (ValueError, TypeError) as error:
            blocks.append(Text(f"{name}: left out. {error}", kind="tip"))
    intro = (
        "What speaks for the prediction of the network that the branch is a part of. Images: Grad-CAM, bright where "
        "the image speaks for it. Words: integrated gradients, blue for and orange against what is predicted."
    )
    if not is_classifier(reported.stack):
        intro += " For a number, that is: for a larger one."
    said = [intro, *(the_first(output, "outputs") for output in sorted(explained - {None}, key=str))]
    return Section("Examples", blocks, " ".join(said))


def _shown_branches(stack):
    parts = [split_part(part) for network in networks_of(stack).values() for part in network.branches_]
    return {name: branch for name, branch, _ in parts if isinstance(branch, (ImageBranch, TextBranch))}


def _images(stack, X, branch, names, output):
    result = grad_cam(stack, X, branch=branch, output=output)
    maps, images = result.maps, result.images
    if maps.ndim == 4:  # several images in a row, of which the first is shown
        maps, images = maps[:, 0], images[:, 0]
    plain = np.stack([np.zeros_like(maps), maps], axis=1).reshape(-1, *maps.shape[1:])
    titles = [title for name in names for title in (name.removeprefix("row at "), "")]
    display = ImageMapDisplay(np.repeat(images, 2, axis=0), plain, titles=titles).plot(n_columns=8)
    caption = f"{branch}: each image, and where it speaks for the prediction (layer {result.layer})."
    return [picture(display.figure_, caption)]


def _texts(stack, X, branch, names, output):
    result = integrated_gradients(stack, X, branch=branch, output=output, n_steps=200)  # of a few rows
    words, values = result.names[branch], result.attributions[branch]
    if values.ndim > 2:  # several texts in a row, of which the first is shown
        words, values = [row[0] for row in words], values[:, 0]
    size = np.abs(values).max() or 1.0
    blocks = []
    for name, of_row, of_words in zip(names, words, values, strict=True):
        read = [(str(word), float(value / size)) for word, value in zip(of_row, of_words, strict=False) if word]
        blocks.append(Words(f"{branch}, {name}", read or [("(nothing)", 0.0)]))
    return blocks


def _said(value):
    if isinstance(value, np.ndarray):  # of several outputs
        return ", ".join(map(_said, value))
    return f"{value:,.5g}" if isinstance(value, (float, np.floating)) else str(value)


def _chosen(reported, n_rows, X=None):
    """Return positions of rows, in order, the same each time."""
    n_samples = num_samples(reported.X_test if X is None else X)
    generator = check_random_state(reported.random_state)
    return np.sort(generator.permutation(n_samples)[:n_rows])
