"""Run the benchmarks and print one table of ratios against peers, measured in pairs in this very run."""

import argparse
import json
import os
import sys
from pathlib import Path

from . import (
    bench_big_table,
    bench_clusters,
    bench_cross_fitting,
    bench_frozen_backbone,
    bench_grad_cam,
    bench_images,
    bench_members,
    bench_memory,
    bench_modalities,
    bench_optuna,
    bench_predict,
    bench_report,
    bench_search,
    bench_start,
    bench_texts,
    quality,
)
from ._machine import describe_machine
from ._report import LEGEND, notes, table

AREAS = {
    "cross_fitting": bench_cross_fitting,
    "search": bench_search,
    "optuna": bench_optuna,
    "big_table": bench_big_table,
    "images": bench_images,
    "frozen_backbone": bench_frozen_backbone,
    "texts": bench_texts,
    "grad_cam": bench_grad_cam,
    "memory": bench_memory,
    "members": bench_members,
    "modalities": bench_modalities,
    "report": bench_report,
    "start": bench_start,
    "predict": bench_predict,
    "clusters": bench_clusters,
}


def chosen(names):
    """Return the comparisons that are called by name or belong to an area called by name; all if there is no name.

    Raises
    ------
    ValueError
        If there is no such area or comparison.
    """
    known = {area: list(module.COMPARISONS) for area, module in AREAS.items()}
    everything = [comparison for comparisons in known.values() for comparison in comparisons]
    known.update({comparison.name: [comparison] for comparison in everything})
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ValueError(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(known)}.")
    asked = {comparison.name for name in names for comparison in known[name]}
    return [comparison for comparison in everything if not names or comparison.name in asked]


def _arguments(arguments):
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"areas ({', '.join(AREAS)}) or single comparisons; all by default")
    quick = bool(os.environ.get("SKSTACK_QUICK"))
    parser.add_argument(
        "--quick", action="store_true", default=quick, help="little data, one pair, one process; nothing is judged"
    )
    parser.add_argument("--repeats", type=int, metavar="N", help="pairs of each comparison")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write everything that was measured to this file"
    )
    options = parser.parse_args(arguments)
    try:
        options.comparisons = chosen(options.names)
    except ValueError as error:
        parser.error(str(error))
    if options.repeats is not None and options.repeats < 1:
        parser.error(f"--repeats should be at least 1, got {options.repeats}.")
    return options


def main(arguments=None):
    """Run what the command line asks for; return 1 if a comparison failed, else 0."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    if arguments[:1] == ["quality"]:
        return quality.main(arguments[1:])
    options = _arguments(arguments)
    machine, outcomes = describe_machine(), []
    for comparison in options.comparisons:
        outcomes.append(comparison.run(options.quick, options.repeats))
        if options.json:
            figures = {"machine": machine, "quick": options.quick, "comparisons": outcomes}
            options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(", ".join(f"{name} {value}" for name, value in machine.items()), end="\n\n")
    if options.quick:
        print("Quick: little data, and one process for nearly everything, so that nothing is judged.", end="\n\n")
    print(table(outcomes, options.quick), notes(outcomes), LEGEND, sep="\n\n")
    return int(any("failed" in outcome for outcome in outcomes))


if __name__ == "__main__":
    raise SystemExit(main())
