"""A drawing of a network: branches, fusion, head and outputs, with shapes and numbers of weights."""

from textwrap import shorten

from ._base_models import network_of
from ._display import axes_for

#: Fill and edge of the boxes of each role.
_COLORS = {
    "columns": ("#ffffff", "#8a8f98"),
    "branch": ("#dbe9f6", "#2f6ea5"),
    "fusion": ("#fbe3cf", "#c46a1b"),
    "head": ("#e4efdc", "#4f7f35"),
    "output": ("#eadcf0", "#7a4791"),
}

#: Inches between the middles of boxes, side by side and one below the other, and what of it is box.
_CELL = (2.05, 0.98)
_BOX = (0.82, 0.78)
_MAX_LETTERS = 24


class NetworkDisplay:
    """Drawing of a network, from columns of the table to predictions, in plain matplotlib.

    Each box names a branch, the fusion, a dense layer or an output, what it returns for a row, and how many of its
    weights are trained; those that are not (statistics, frozen layers) are counted behind. ``keras.utils.plot_model``
    draws every single layer of ``model_``, with graphviz, and ``model_.summary()`` lists them.

    Parameters
    ----------
    blocks : list of Block
        See :meth:`from_estimator`.
    title : str, default=""

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes drawn into.
    figure_ : matplotlib.figure.Figure
        Its figure.
    text_ : dict of str to matplotlib.text.Text
        What stands in the boxes, by the name of the block; "columns of <branch>" for what a branch reads.

    See Also
    --------
    TrainingHistoryDisplay : How the network was trained.

    Examples
    --------
    >>> import pandas as pd
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.branches import CategoricalBranch, NumericBranch
    >>> from skstack.inspection import NetworkDisplay
    >>> X = pd.DataFrame({"area": [50.0, 80.0, 120.0, 70.0] * 4, "zip": ["a", "b", "a", "c"] * 4})
    >>> network = MultimodalNetworkRegressor(
    ...     [("size", NumericBranch(), ["area"]), ("place", CategoricalBranch(), ["zip"])], epochs=1, random_state=0
    ... ).fit(X, X["area"])
    >>> display = NetworkDisplay.from_estimator(network)
    >>> list(display.text_)
    ['columns of size', 'size', 'columns of place', 'place', 'fusion', 'head_1', 'output']
    """

    def __init__(self, blocks, *, title=""):
        self.blocks = blocks
        self.title = title

    @classmethod
    def from_estimator(cls, estimator, *, name=None, ax=None):
        """Draw a network.

        Parameters
        ----------
        estimator : estimator
            A fitted network or stack, the best one of a search, or a pipeline that ends in one.
        name : str, default=None
            Which base model of a stack to draw; the first that is a network by default.
        ax : matplotlib.axes.Axes, default=None
            Axes to draw into; a new figure of a fitting size by default.

        Returns
        -------
        display : NetworkDisplay

        Raises
        ------
        TypeError, ValueError
            If the estimator is or has no such network.
        """
        from ..network._outline import outline

        network = network_of(estimator, name)
        blocks, members = outline(network), len(network.members_)
        total = sum(block.n_trainable for block in blocks)
        kind = type(network).__name__
        title = f"{kind}: {total:,} trained weights" + (f" in each of {members} members" if members > 1 else "")
        return cls(blocks, title=title).plot(ax=ax)

    def plot(self, ax=None):
        """Draw it.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Axes to draw into; a new figure of a fitting size by default.

        Returns
        -------
        display : NetworkDisplay
        """
        places = _places(self.blocks)
        n_wide = 1 + max(x for x, _ in places.values())
        n_high = max(1 + max(y for _, y in places.values()), 1.5)
        size = (_CELL[0] * n_wide + 0.2, _CELL[1] * n_high + 0.4)
        self.ax_ = axes_for(ax, type(self).__name__, figsize=size, layout="constrained")
        self.figure_ = self.ax_.figure
        self.ax_.set(xlim=(-0.55, n_wide - 0.45), ylim=(n_high - 0.45, -0.55))
        self.ax_.set_title(self.title, fontsize=10, loc="left")
        self.ax_.set_axis_off()
        self.text_ = {}
        for block in self.blocks:
            for name in block.given:
                self._arrow(places[name], places[block.name])
            if block.role == "branch":
                x, y = places[block.name]
                self._arrow((x - 1, y), (x, y))
                columns = _lines(block.columns)
                self.text_[f"columns of {block.name}"] = self._box((x - 1, y), columns, "columns", bold=False)
            self.text_[block.name] = self._box(places[block.name], _lines_of(block), block.role)
        return self

    def _box(self, place, lines, role, bold=True):
        from matplotlib.patches import FancyBboxPatch

        fill, edge = _COLORS[role]
        (x, y), (width, height) = place, _BOX
        patch = FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.06",
            mutation_aspect=_CELL[0] / _CELL[1],
            facecolor=fill,
            edgecolor=edge,
        )
        self.ax_.add_patch(patch)
        first, *others = lines
        at = {"ha": "center", "fontsize": 7.5, "parse_math": False, "clip_on": True}
        if not bold:
            return self.ax_.text(x, y, "\n".join(lines), va="center", **at)
        self.ax_.text(x, y - height * 0.32, first, va="center", weight="bold", color=edge, **at)
        return self.ax_.text(x, y + height * 0.12, "\n".join(others), va="center", **at)

    def _arrow(self, start, end):
        half = _BOX[0] / 2
        style = {"arrowstyle": "-|>", "color": "#8a8f98", "lw": 0.9, "shrinkA": 0, "shrinkB": 0}
        begin, finish = (start[0] + half, start[1]), (end[0] - half, end[1])
        self.ax_.annotate("", finish, begin, arrowprops=style)


def _places(blocks):
    """Return the middle of each block: to the right of those in front of it, branches one below the other."""
    depth, columns, places = {}, {}, {}
    for block in blocks:
        depth[block.name] = 1 + max((depth[name] for name in block.given), default=0)
        columns.setdefault(depth[block.name], []).append(block.name)
    n_high = max(len(names) for names in columns.values())
    for x, names in columns.items():
        places |= {name: (x, (n_high - len(names)) / 2 + row) for row, name in enumerate(names)}
    return places


def _lines(names):
    """Return up to three lines of names of columns."""
    shown = [_short(name) for name in names]
    return shown if len(shown) <= 3 else [*shown[:2], f"and {len(shown) - 2} more"]


def _lines_of(block):
    size = f"→ {_size(block.shape)}"
    if block.role == "branch":
        size = f"{_size(block.input_shape)} → {_size(block.shape)}"
    counts = f"{block.n_trainable:,} trained"
    if block.n_weights > block.n_trainable:
        counts += f", {block.n_weights - block.n_trainable:,} not"
    return [_short(block.name), _short(block.kind), size, counts]


def _size(shape):
    return " x ".join(str(length) for length in shape)


def _short(text):
    return text if len(text) <= _MAX_LETTERS else shorten(text[: _MAX_LETTERS - 1], _MAX_LETTERS - 1) + "…"
