"""Texts with their words marked."""

from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from skstack import MultimodalNetworkClassifier
from skstack.branches import NumericBranch, TextBranch
from skstack.inspection import TextAttributionDisplay

TOKENS = np.array([["a", "<b>", "house"], ["loud", "", ""]], dtype=object)
VALUES = np.array([[0.0, 0.5, -0.25], [-0.5, 0.0, 0.0]])


class Reader(HTMLParser):
    """Reads tags and text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        """Remember a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        """Remember a text."""
        self.text.append(data)


def test_html_escapes_words_and_colours_them_by_sign_and_size():
    page = Reader(TextAttributionDisplay(TOKENS, VALUES, titles=["<first>", "second"]).to_html())
    assert "".join(page.text) == "<first>a <b> housesecondloud"
    marks = [attrs for tag, attrs in page.tags if tag == "mark"]
    assert [mark["title"] for mark in marks] == ["+0", "+0.5", "-0.25", "-0.5"]
    colors = [mark["style"].partition("rgba")[2].partition(")")[0].strip("(").split(", ") for mark in marks]
    assert [float(color[3]) for color in colors] == [0, 0.6, 0.3, 0.6]
    assert colors[1][:3] != colors[2][:3]
    assert colors[2][:3] == colors[3][:3]
    assert {tag for tag, _ in page.tags} == {"div", "p", "strong", "br", "mark"}


def test_the_picture_has_every_word_and_breaks_long_texts():
    long = np.array([["word"] * 40], dtype=object)
    display = TextAttributionDisplay(long, np.ones((1, 40))).plot()
    texts = display.ax_.texts
    assert [text.get_text() for text in texts] == ["word"] * 40
    assert len({text.get_position()[1] for text in texts}) == 3
    assert all(text.get_position()[0] <= 76 for text in texts)
    plt.close(display.figure_)


def test_a_network_says_what_its_words_add():
    X = pd.DataFrame({"note": ["the park", "loud street"] * 4, "area": np.arange(8.0)})
    parts = [("note", TextBranch(dim=2), ["note"]), ("numbers", NumericBranch((2,), embedding=None), ["area"])]
    network = MultimodalNetworkClassifier(parts, head=(), random_state=0).initialize(X, ["yes", "no"] * 4)
    figure, ax = plt.subplots()
    display = TextAttributionDisplay.from_estimator(network, X.head(2), branch="note", output="yes", ax=ax)
    probabilities = network.predict_proba(X.head(2))[:, 1]
    assert display.titles == [f"yes: {probability:.2g}" for probability in probabilities]
    assert display.tokens.tolist() == [["the", "park"], ["loud", "street"]]
    assert display.ax_ is ax
    plt.close(figure)
    with pytest.raises(ValueError, match="branch 'numbers' has no words to mark"):
        TextAttributionDisplay.from_estimator(network, X, branch="numbers")
