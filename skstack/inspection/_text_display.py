"""Texts with their words marked."""

from html import escape

import numpy as np

from ._display import axes_for
from ._integrated_gradients import integrated_gradients

#: Colours of words that speak for what is explained, and against it: red, green, blue.
_FOR, _AGAINST = (31, 119, 180), (214, 39, 40)

#: Words are covered by a colour to this part at most, so that they can be read.
_MOST = 0.6

#: Characters of a line, and the height of one, in the picture.
_LINE, _HEIGHT = 76, 0.24


class TextAttributionDisplay:
    """Texts whose words are marked by what they add to a prediction: blue speaks for it, red against it.

    Texts are shown as the network reads them: a word outside the vocabulary is "[UNK]", or left out where none of the
    training rows had such a word, and what is behind the length of the branch is not there.

    Parameters
    ----------
    tokens : ndarray of str of shape (n_texts, n_tokens)
        Words, "" behind the end of a text.
    attributions : ndarray of shape (n_texts, n_tokens)
    titles : list of str, default=None
        What to write above each text.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    integrated_gradients : Makes the attributions.

    Examples
    --------
    >>> import numpy as np
    >>> from skstack.inspection import TextAttributionDisplay
    >>> display = TextAttributionDisplay(np.array([["a", "fine", "house"]]), np.array([[0.0, 0.4, -0.1]]))
    >>> "fine</mark>" in display.to_html()
    True
    """

    def __init__(self, tokens, attributions, *, titles=None):
        self.tokens = tokens
        self.attributions = attributions
        self.titles = titles

    @classmethod
    def from_estimator(cls, estimator, X, *, branch, titles=None, ax=None, **params):
        """Attribute predictions to words, and draw them.

        Parameters
        ----------
        estimator : MultimodalNetworkRegressor, MultimodalNetworkClassifier, MultitaskNetwork or a stack
            Fitted.
        X : DataFrame or array-like of shape (n_samples, n_features)
            The rows to draw.
        branch : str
            Name of a :class:`~skstack.branches.TextBranch` that reads tokens.
        titles : list of str, default=None
            What to write above each text; ``None`` writes the prediction that is explained.
        ax : matplotlib.axes.Axes, default=None
        **params : dict
            Further arguments of :func:`integrated_gradients`.

        Returns
        -------
        display : TextAttributionDisplay

        Raises
        ------
        ValueError
            If the branch has no words.
        """
        made = integrated_gradients(estimator, X, branch=branch, **params)
        tokens, attributions = made.names[branch], made.attributions[branch]
        if tokens is None or tokens.ndim == 1:
            raise ValueError(f"branch {branch!r} has no words to mark.")
        if titles is None:
            is_class = made.outputs.dtype.kind not in "iu"
            ways = zip(made.outputs, made.predictions, strict=True)
            titles = [f"{output}: {score:.2g}" if is_class else f"{score:.4g}" for output, score in ways]
        n_rows = len(tokens)
        return cls(tokens.reshape(n_rows, -1), attributions.reshape(n_rows, -1), titles=titles).plot(ax)

    def _marked(self):
        """Yield for each text pairs of a word and how much it is marked, from -1 to 1."""
        most = np.abs(self.attributions).max() or 1.0
        for tokens, attributions in zip(self.tokens, self.attributions, strict=True):
            yield [(token, float(value) / most) for token, value in zip(tokens, attributions, strict=True) if token]

    def plot(self, ax=None):
        """Draw the texts below each other.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            ``None`` makes a figure.

        Returns
        -------
        display : TextAttributionDisplay
        """
        lines = [line for text in self._lines() for line in text]
        size = (8.0, _HEIGHT * (len(lines) + 1))
        ax = axes_for(ax, type(self).__name__, figsize=size, layout="constrained")
        for number, line in enumerate(lines):
            left = 0
            for word, strength, weight in line:
                box = {"facecolor": (*_rgb(strength), abs(strength) * _MOST), "edgecolor": "none", "pad": 1.0}
                style = {"family": "monospace", "fontsize": 9, "fontweight": weight, "va": "center"}
                ax.text(left, number, word, bbox=box, parse_math=False, **style)
                left += len(word) + 1
        ax.set(xlim=(-0.5, _LINE + 1), ylim=(len(lines) - 0.4, -0.6))
        ax.axis("off")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _lines(self):
        """Yield for each text its lines: of words, how much each is marked, and its weight."""
        for number, marked in enumerate(self._marked()):
            lines = [] if self.titles is None else [[(str(self.titles[number]), 0.0, "bold")]]
            line, length = [], 0
            for word, strength in marked:
                if line and length + len(word) > _LINE:
                    lines.append(line)
                    line, length = [], 0
                line.append((word, strength, "normal"))
                length += len(word) + 1
            yield [*lines, line, []]

    def to_html(self):
        """Return the texts as HTML: a paragraph for each, in which words are marked.

        Returns
        -------
        html : str
            What stands in the texts is escaped. The attribution of a word shows when one points at it.
        """
        paragraphs = []
        numbers = zip(self._marked(), self.attributions, self.tokens, strict=True)
        for place, (marked, attributions, tokens) in enumerate(numbers):
            values = attributions[np.asarray(tokens, dtype=object) != ""]
            words = [_mark(word, strength, value) for (word, strength), value in zip(marked, values, strict=True)]
            title = "" if self.titles is None else f"<strong>{escape(str(self.titles[place]))}</strong><br>"
            paragraphs.append(f"<p>{title}{' '.join(words)}</p>")
        return f'<div class="skstack-words">{"".join(paragraphs)}</div>'


def _rgb(strength):
    return tuple(part / 255 for part in (_FOR if strength > 0 else _AGAINST))


def _mark(word, strength, value):
    red, green, blue = _FOR if strength > 0 else _AGAINST
    color = f"rgba({red}, {green}, {blue}, {abs(strength) * _MOST:.2f})"
    return f'<mark style="background: {color}; color: inherit" title="{value:+.3g}">{escape(str(word))}</mark>'
