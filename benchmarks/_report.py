"""The table and the notes under it."""

_HEADINGS = ("work", "figure", "against", "ours", "peer", "times better (range)", "target", "", "share of the machine")

#: What a job returns beside the figures of the table and is worth a note: name, and how it is written.
_NOTES = {
    "held_out_r2": "R2 on held-out rows {:.3f}",
    "best_score": "best score {:.3f}",
    "p95_ms": "95th percentile {:.1f} ms",
    "bare_call_p50_ms": "a bare compiled call {:.2f} ms",
    "before_mb": "{:.0f} MB before the first run",
}

LEGEND = """\
First and second in a process: the same fit twice in a process that did nothing before; compiling counts, imports and
making the data do not. Ratios are the median and range of n pairs of processes that took turns. The share of the
machine is the arithmetic of training, in products of weights and gradients, done per second by the last run of a
process, over that of a large float32 matrix product in the same process: ours / peer, the best of the processes."""


def table(outcomes, quick=False):
    """Return the lines of all comparisons as one Markdown table.

    Parameters
    ----------
    outcomes : list of dict
        What :meth:`benchmarks._comparison.Comparison.run` returned.
    quick : bool
        Whether the data was too small to say anything about the targets.
    """
    rows = [_HEADINGS, *(row for outcome in outcomes for row in _rows(outcome, quick))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _rows(outcome, quick):
    unmeasured = "skipped" if "skipped" in outcome else "failed" if "failed" in outcome else None
    if unmeasured:
        return [(outcome["work"], "", outcome["peer"], "", "", "", "", unmeasured, "")]
    rows = [_row(outcome, line, quick) for line in outcome["lines"] if line["ours"] is not None]
    # What is the same in each line of a comparison is said once.
    return [row if number == 0 else ("", row[1], "", *row[3:-1], "") for number, row in enumerate(rows)]


def _row(outcome, line, quick):
    times = "-"
    if line["times"] is not None:
        low, high = (_number(value) for value in line["times_range"])
        times = f"{_number(line['times'])} ({f'{low} to {high}, ' if line['n_pairs'] > 1 else ''}n={line['n_pairs']})"
    return (
        outcome["work"],
        line["words"],
        outcome["peer"],
        _amount(line["ours"], line["unit"]),
        _amount(line["peer"], line["unit"]),
        times,
        _target(line),
        "" if line["met"] is None else "not judged" if quick else "met" if line["met"] else "missed",
        _shares(outcome["pairs"]),
    )


def _amount(value, unit):
    return "-" if value is None else f"{_number(value)} {unit}"


def _number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _target(line):
    least = None if line["at_least"] is None else f"{line['at_least']:g} x"
    most = None if line["at_most"] is None else f"at most {_amount(line['at_most'], line['unit'])}"
    return ", ".join(filter(None, (least, most))) or "-"


def _shares(pairs):
    """Return the share of the machine of both sides in the best of their runs, or "-" where nothing was counted."""
    best = [max((pair[side].get("share") or 0.0 for pair in pairs), default=0.0) for side in ("ours", "peer")]
    return " / ".join(f"{share:.1%}" if share else "-" for share in best) if any(best) else "-"


def notes(outcomes):
    """Return a line for each comparison that has something to say beside its figures."""
    lines = [f"{outcome['name']}: {text}" for outcome in outcomes if (text := _note(outcome))]
    return "\n".join(lines)


def _note(outcome):
    if "skipped" in outcome or "failed" in outcome:
        return outcome.get("skipped") or outcome.get("failed")
    said = [f"{side}: {text}" for side in ("ours", "peer") if (text := _beside(outcome["pairs"][-1][side]))]
    if outcome.get("peer_settings_tried"):
        said.append(f"setting kept for the peer: {outcome['peer_setting']} of {outcome['peer_settings_tried']}")
    return "; ".join(said)


def _beside(figures):
    return ", ".join(words.format(figures[name]) for name, words in _NOTES.items() if figures.get(name) is not None)
