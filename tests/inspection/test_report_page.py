"""How the page of a report is written."""

import base64

from matplotlib import pyplot as plt

from skstack.inspection._report_page import Code, Section, Table, Text, Words, no_windows, picture, render


def _page(*blocks):
    sections = [Section("A <b>title", list(blocks), "intro & more")]
    return render(title="<i>", subtitle="", facts=[("<u>", "<s>")], sections=sections, footer="")


def test_everything_is_escaped():
    words = Words("<em>", [("<mark>evil", 0.5)])
    page = _page(Text("<p>x"), Code("<code>x"), Table(["<th>x"], [["<td>x"]]), words)
    for tag in ("<p>x", "<code>x", "<th>x", "<td>x", "<mark>evil", "<b>title", "<i>", "<u>", "<s>"):
        assert tag not in page
        assert tag.replace("<", "&lt;").replace(">", "&gt;") in page
    assert 'href="#a-b-title"' in page and 'id="a-b-title"' in page


def test_words_for_and_against_have_different_colors_as_strong_as_their_share():
    page = _page(Words("", [("good", 1.0), ("bad", -0.5)]))
    assert 'rgba(47, 110, 165, 0.60)" title="+1.00">good' in page
    assert 'rgba(196, 106, 27, 0.30)" title="-0.50">bad' in page


def test_numbers_stand_to_the_right_and_marked_rows_stand_out():
    page = _page(Table(["name", "score"], [["a", "1"], ["b", "2"]], numeric=(1,), marked=(1,)))
    assert page.count('class="number"') == 3
    assert page.index('<tr class="marked">') > page.index("<td>a</td>")


def test_a_picture_is_in_the_page_and_its_figure_closed():
    with no_windows():
        figure, _ = plt.subplots(figsize=(2, 1))
        made = picture(figure, "What it shows")
    assert plt.get_fignums() == []
    kind, _, content = made.source.partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(content).startswith(b"\x89PNG")
    assert 100 < made.width < 300
    assert 'alt="What it shows"' in _page(made)


def test_codes_for_terminals_are_taken_out():
    page = _page(Text("\x1b[1mInput\x1b[0m has \x1b[38;5;34m3\x1b[0m axes"))
    assert "Input has 3 axes" in page and "\x1b" not in page
