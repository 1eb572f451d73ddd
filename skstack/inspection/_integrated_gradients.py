"""Integrated gradients: what each number, category, word and time step adds to a prediction."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils.validation import check_scalar

from ..training._gradients import Points, in_chunks
from ._insides import insides, mean_of_insides

#: The part of the difference of predictions that attributions may miss without a warning.
_GAP = 0.05


def integrated_gradients(estimator, X, *, branch=None, output=None, baseline=None, n_steps=50):
    """Divide a prediction of a network among what it was made from (integrated gradients [1]_).

    On a straight way from a baseline to the row, gradients are added up. The attributions of all parts of a row sum to
    the difference between its prediction and that of the baseline, but for an error that falls with `n_steps`.

    Words and categories are attributed by their vectors, the entries of which are added up; numbers and time steps by
    their scaled values, where a gap counts as its column; images by their pixels, or as a whole where they pass through
    a frozen backbone before the network (:func:`grad_cam` and :func:`saliency` look through it); other encoders that
    stay as they are as a whole, too.

    Parameters
    ----------
    estimator : MultimodalNetworkRegressor, MultimodalNetworkClassifier, MultitaskNetwork or a stack
        Fitted; see :func:`grad_cam`.
    X : DataFrame or array-like of shape (n_samples, n_features)
        Rows of data, with all columns that the estimator takes.
    branch : str, default=None
        Name of the branch whose cells change along the way, those of the others staying as they are. ``None`` changes
        all branches of the network together.
    output : object, default=None
        What is explained, see :func:`grad_cam`.
    baseline : DataFrame or array-like of shape (1, n_features) or (n_samples, n_features), default=None
        Where the way begins: a row, or one for each. ``None`` takes what says nothing: numbers that fill gaps, the mean
        of each channel of a sequence, vectors of 0 in the place of words and categories, black images. Which places of
        a text or sequence are behind its end stays as it is in the row.
    n_steps : int, default=50
        Points on the way, those of the Gauss-Legendre rule. A warning says where they are too few: attributions then
        miss more than 5 % of the difference, on average over the rows.

    Returns
    -------
    result : Bunch
        ``attributions`` : Bunch of str to ndarray of shape (n_samples, ...)
            By the name of the branch, in units of the target or, of a classifier, of the probability. The axes behind
            the first: columns, words, steps and channels, or height and width; one more in front where a sub-network is
            used on several columns or items of a cell. Rows that are missing have 0.
        ``names`` : Bunch of str to ndarray or None
            What the parts are called: columns, or of each row its words, "" behind the end.
        ``predictions``, ``baseline_predictions`` : ndarray of shape (n_samples,)
            For the rows, and for the baseline.
        ``outputs`` : ndarray of shape (n_samples,)
            What is explained: the class, or the position of the output.

    Raises
    ------
    ValueError, TypeError
        If there is no such branch or output, or a branch takes integers that no gradient can be taken of.

    See Also
    --------
    AttributionDisplay : Draws bars for columns and steps.
    TextAttributionDisplay : Marks words.

    References
    ----------
    .. [1] Sundararajan, M., Taly, A. and Yan, Q. (2017). "Axiomatic Attribution for Deep Networks". ICML 2017.

    Examples
    --------
    >>> import pandas as pd
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.branches import NumericBranch, TextBranch
    >>> from skstack.inspection import integrated_gradients
    >>> X = pd.DataFrame({"area": [50.0, 80.0, 120.0, 70.0] * 5, "note": ["near the park", "loud", "old", "park"] * 5})
    >>> branches = [("numbers", NumericBranch(), ["area"]), ("note", TextBranch(), ["note"])]
    >>> network = MultimodalNetworkRegressor(branches, epochs=2, random_state=0).fit(X, X["area"])
    >>> result = integrated_gradients(network, X.head(1), n_steps=200)
    >>> result.names["note"].tolist()
    [['near', 'the', 'park']]
    >>> total = sum(attributions.sum() for attributions in result.attributions.values())
    >>> bool(abs(total - (result.predictions - result.baseline_predictions)[0]) < 0.1)
    True
    """
    check_scalar(n_steps, "n_steps", Integral, min_val=1)
    found = insides(estimator, X, branch, output)
    result = mean_of_insides([_of_inside(inside, X, branch, baseline, n_steps) for inside in found])
    _warn_of_gap(result, n_steps)
    return result


def _warn_of_gap(result, n_steps):
    """Warn where the attributions of rows do not sum to what they should, by more than a rounding."""
    differences = result.predictions - result.baseline_predictions
    total = sum(part.reshape(len(part), -1).sum(axis=1) for part in result.attributions.values())
    gap, effect = np.abs(total - differences).mean(), np.abs(differences).mean()
    if gap > max(_GAP * effect, 1e-5 * np.abs(result.predictions).mean()):
        warnings.warn(
            "the attributions of a row miss the difference between its prediction and that of the baseline by "
            f"{gap:.3g} on average, where it is {effect:.3g}: the network bends more along the way than "
            f"n_steps={n_steps} points tell. Give more, such as n_steps={4 * n_steps}.",
            UserWarning,
            stacklevel=3,
        )


def _of_inside(inside, X, branch, baseline, n_steps):
    places = _Places(inside, [part.name for part in inside.opened.assembly.branches] if branch is None else [branch])
    inputs, rows = inside.encode(X), inside.found.rows(X)
    begin = None if baseline is None else _baseline_inputs(inside, baseline, len(rows))
    instrumented = inside.opened.instrumented(places.layers)
    members = [instrumented.values(values) for values in inside.opened.members]
    path = _Path(instrumented, members, places, inside, n_steps)
    given = {"end": inputs, "begin": begin or {}, "asked": inside.asked}
    attributions, predictions, of_baseline, positions = in_chunks(path.follow, given)
    return Bunch(
        attributions=Bunch(**attributions),
        names=Bunch(**{name: places.names(name, X, inputs) for name in places.branches}),
        predictions=predictions,
        baseline_predictions=of_baseline,
        outputs=inside.target.names(positions),
    )


def _baseline_inputs(inside, baseline, n_rows):
    inputs = inside.encode(baseline)
    given = len(next(iter(inputs.values())))
    if given not in (1, n_rows):
        raise ValueError(f"'baseline' should have one row or as many as X, {n_rows}, got {given}.")
    return {name: np.repeat(np.asarray(array), n_rows // given, axis=0) for name, array in inputs.items()}


class _Places:
    """Where in a network the parts of cells are continuous: in inputs, or in what layers return."""

    def __init__(self, inside, branches):
        self._inside, self.branches, self.layers = inside, branches, []
        self._of_branch, self._inputs = {}, []
        for name in branches:
            branch = inside.branch(name)
            own = [inside.opened.layer(path, name) for path in branch.attributed_layers]
            self._of_branch[name] = slice(len(self.layers), len(self.layers) + len(own))
            self.layers += own
            if not own:
                self._inputs.append(self._check_input(name, branch))

    def _check_input(self, name, branch):
        if not branch.input_dtype_.startswith("float"):
            raise ValueError(
                f"branch {name!r} gives integers to its sub-network, which have no gradient: a {type(branch).__name__} "
                "should name its 'attributed_layers'."
            )
        return self._inside.opened.input_name(name)

    def points(self, inputs, heard):
        """Return what the places hold."""
        return Points({name: np.asarray(inputs[name], dtype="float32") for name in self._inputs}, heard)

    def baseline(self, points):
        """Return what the places hold of cells that say nothing."""
        begin = Points(dict(points.inputs), list(points.layers))
        for name in self.branches:
            own, branch = self._of_branch[name], self._inside.branch(name)
            if branch.attributed_layers:
                begin.layers[own] = branch.baseline(points.layers[own])
            else:
                key = self._inside.opened.input_name(name)
                ((begin.inputs[key],),) = branch.baseline([[points.inputs[key]]])
        return begin

    def sums(self, attributions, inputs):
        """Return attributions to the parts of the cells of each branch."""
        found = {}
        for name in self.branches:
            branch, key = self._inside.branch(name), self._inside.opened.input_name(name)
            cells = self._cells(branch, inputs[key])
            given = attributions.layers[self._of_branch[name]] if branch.attributed_layers else None
            if given is None:
                given = [[attributions.inputs[key].reshape(-1, *branch.cell_shape_)]]
            parts = branch.sum_over_parts(given, cells)
            found[name] = parts.reshape(len(inputs[key]), *branch.uses, *self._part_shape(branch, parts))
        return found

    def _part_shape(self, branch, parts):
        """Return the shape of the parts of a cell: none of its own where each column is a cell of one part."""
        return parts.shape[2:] if branch.shared and parts.shape[1:2] == (1,) else parts.shape[1:]

    def _cells(self, branch, encoded):
        return np.asarray(encoded).reshape(-1, *branch.cell_shape_)

    def names(self, name, X, inputs):
        """Return what the parts of the cells of a branch are called."""
        branch, encoded = self._inside.branch(name), inputs[self._inside.opened.input_name(name)]
        names = branch.part_names(self._inside.found.branch_columns(name, X), self._cells(branch, encoded))
        if names is None or names.ndim == 1:
            return names
        return names.reshape(len(encoded), *branch.uses, *names.shape[1:])


class _Path:
    """The way from a baseline to rows, and the gradients along it."""

    def __init__(self, instrumented, members, places, inside, n_steps):
        self._instrumented, self._members, self._places, self._inside = instrumented, members, places, inside
        nodes, weights = np.polynomial.legendre.leggauss(n_steps)
        self._steps = [*zip((nodes + 1) / 2, weights / 2, strict=True)]

    def follow(self, given):
        """Return attributions by branch, predictions, those of the baseline, and what is explained of each row."""
        rows = given["end"]
        seen = [self._instrumented.outputs(values, rows) for values in self._members]
        weights, positions = self._inside.weights([outputs for outputs, _ in seen], given["asked"])
        results = [
            self._of_member(values, rows, heard, given["begin"], weights)
            for values, (_, heard) in zip(self._members, seen, strict=True)
        ]
        attributions, ends, begins = zip(*results, strict=True)
        mean = {name: np.mean([one[name] for one in attributions], axis=0) for name in attributions[0]}
        return mean, np.mean(ends, axis=0), np.mean(begins, axis=0), positions

    def _of_member(self, values, rows, heard, baseline, weights):
        end = self._places.points(rows, heard)
        begin = self._begin(values, end, baseline)
        ways = _joined(np.subtract, end, begin)
        total = _joined(np.zeros_like, ways)
        for step, weight in self._steps:
            point = _joined(lambda start, way, step=step: (start + step * way).astype(start.dtype), begin, ways)
            _, gradients = self._gradients(values, rows, point, weights)
            total = _joined(lambda so_far, gradient, weight=weight: so_far + weight * gradient, total, gradients)
        attributions = _joined(lambda way, gradient: (way * gradient).astype("float64"), ways, total)
        scores = [self._gradients(values, rows, point, weights)[0].astype("float64") for point in (end, begin)]
        return self._places.sums(attributions, rows), *scores

    def _begin(self, values, end, baseline):
        if not baseline:
            return self._places.baseline(end)
        return self._places.points(baseline, self._instrumented.outputs(values, baseline)[1])

    def _gradients(self, values, rows, point, weights):
        return self._instrumented.gradients(values, rows, point, self._inside.target.score, weights)


def _joined(function, *points):
    """Return what a function makes of each array of some points."""
    return Points(
        {name: function(*[point.inputs[name] for point in points]) for name in points[0].inputs},
        [
            [function(*arrays) for arrays in zip(*of_layer, strict=True)]
            for of_layer in zip(*[point.layers for point in points], strict=True)
        ],
    )
