"""What a page of :func:`report` is made of, and how it is written: everything in one file, nothing of it trusted."""

import base64
import io
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources

from ._display import pyplot

_DPI = 110

#: What terminals take for colors and bold letters, as messages of Keras have them.
_TERMINAL = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Text:
    """A paragraph."""

    text: str
    kind: str = "text"


@dataclass
class Code:
    """Lines of code, or of anything that keeps its spaces."""

    text: str
    kind: str = "code"


@dataclass
class Table:
    """A table, of which some columns are numbers and stand to the right.

    Parameters
    ----------
    header : list of str
    rows : list of list of str
    numeric : list of int, default=()
        Positions of columns.
    marked : list of int, default=()
        Positions of rows that stand out.
    """

    header: list
    rows: list
    numeric: tuple = ()
    marked: tuple = ()
    kind: str = "table"


@dataclass
class Picture:
    """A picture, as PNG in the page itself."""

    source: str
    width: int
    caption: str
    kind: str = "picture"


@dataclass
class Words:
    """A text whose words have more or less of a color.

    Parameters
    ----------
    title : str
    words : list of (str, float) tuples
        From -1, against what is predicted, to 1, for it.
    """

    title: str
    words: list
    kind: str = "words"


@dataclass
class Section:
    """A part of the page with a heading."""

    title: str
    blocks: list = field(default_factory=list)
    intro: str = ""

    @property
    def anchor(self):
        """What a link to it is called."""
        return "-".join("".join(letter if letter.isalnum() else " " for letter in self.title.lower()).split())


def the_first(name, what):
    """Return a sentence that says that the first of several things is shown, by its name or position; "" for None."""
    if name is None:
        return ""
    return f"Of several {what} the first is shown{'' if name == 0 else f', {name}'}."


@contextmanager
def no_windows():
    """Draw figures that no window shows, whatever matplotlib would do with them, in its own style."""
    plt = pyplot("report")
    with plt.ioff(), plt.rc_context({"font.size": 9, "axes.titlesize": 10, "figure.facecolor": "white"}):
        yield


def picture(figure, caption):
    """Return a figure as a picture, and close it.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    caption : str
        What it shows; also the text in its place.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, bbox_inches="tight")
    pyplot("report").close(figure)
    png = buffer.getvalue()
    width = int.from_bytes(png[16:20], "big")  # of the header, in pixels
    source = "data:image/png;base64," + base64.b64encode(png).decode("ascii")
    return Picture(source, round(width * 96 / _DPI), caption)


def render(**content):
    """Return the page; everything that comes from data is escaped, and codes for terminals are taken out."""
    from jinja2 import Environment

    template = resources.files(__package__).joinpath("_report.html").read_text(encoding="utf-8")
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(template)
    return _TERMINAL.sub("", template.render(**content))
