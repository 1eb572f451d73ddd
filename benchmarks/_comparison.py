"""A comparison with a peer: jobs of both sides in pairs, and what is read from them."""

import importlib.util
import statistics
import sys
from contextlib import nullcontext
from dataclasses import dataclass

from ._job import JobFailedError, run_here, run_in_child


@dataclass(frozen=True)
class Figure:
    """A number that both sides have: a line of the table.

    Parameters
    ----------
    key : str
        Its name among the figures of a job; the smaller the better.
    words : str
        What it is.
    unit : str
    at_least : float or None
        How many times smaller than the peer's it should be.
    at_most : float or None
        What it should not exceed, in its unit.
    """

    key: str
    words: str
    unit: str = "s"
    at_least: float | None = None
    at_most: float | None = None


def cold(at_least=None):
    """Return the figure of a first run in a fresh process: compiling included, imports and making data not."""
    return Figure("cold_s", "first in a process", at_least=at_least)


def warm(at_least=None):
    """Return the figure of a second run in the same process."""
    return Figure("warm_s", "second in a process", at_least=at_least)


@dataclass(frozen=True)
class Comparison:
    """What we do against what a peer does.

    Parameters
    ----------
    name : str
        For the command line.
    work, peer : str
        Who does what; sizes in braces are filled in.
    ours_job : str
        Module and function, see :func:`benchmarks._job.run_in_child`.
    peer_job : str or None
        None for a job that measures both sides in turns: its figures hold "pairs".
    figures : tuple of Figure
    full : dict
        Arguments of both jobs.
    quick : dict or None
        The same in quick mode; None for a comparison that is left out there.
    peer_settings : tuple of dict
        Further arguments of the peer's job, tried once each; the fastest are kept.
    ours_runs, peer_runs : int
        Runs in each process: 1 for cold figures only, 2 for warm ones too. Quick mode does without a second run that
        is not judged.
    n_repeats : int
        Pairs at full size.
    needs : tuple of str
        Modules of the peer that are not among our own dependencies.
    shared : callable or None
        Called with the arguments of the jobs; returns a context manager that gives further ones, made once for all.
    alone : bool
        Whether quick mode too gives each job a process of its own. It spares the others the time to import TensorFlow.
    """

    name: str
    work: str
    peer: str
    ours_job: str
    peer_job: str | None
    figures: tuple
    full: dict
    quick: dict
    peer_settings: tuple = ({},)
    ours_runs: int = 2
    peer_runs: int = 1
    n_repeats: int = 3
    needs: tuple = ()
    shared: callable = None
    alone: bool = False

    def run(self, quick=False, n_repeats=None):
        """Measure, and return everything that is to be reported, ready for JSON.

        Parameters
        ----------
        quick : bool
            Whether to take the small sizes, and a single pair unless told otherwise.
        n_repeats : int or None
            Number of pairs, None for what suits.
        """
        sizes = self.quick if quick and self.quick is not None else self.full
        outcome = {"name": self.name, "work": self.work.format(**sizes), "peer": self.peer.format(**sizes)}
        missing = [name for name in self.needs if importlib.util.find_spec(name) is None]
        if missing:
            return {**outcome, "skipped": f"{' and '.join(missing)} not installed"}
        if quick and self.quick is None:
            return {**outcome, "skipped": "at full size only"}
        try:
            with self.shared(**sizes) if self.shared else nullcontext({}) as extra:
                outcome.update(self._measure({**sizes, **extra}, quick, n_repeats or (1 if quick else self.n_repeats)))
        except JobFailedError as error:
            return {**outcome, "failed": str(error)}
        return {**outcome, "lines": [line(figure, outcome["pairs"]) for figure in self.figures]}

    def _measure(self, arguments, quick, n_repeats):
        run = _announced(run_here if quick and not self.alone else run_in_child)
        if self.peer_job is None:
            return run(self.ours_job, {**arguments, "n_repeats": n_repeats}, 1)
        setting, tried = self._best_setting(run, arguments, quick)
        sides = {
            "ours": (self.ours_job, arguments, self._n_runs(self.ours_runs, quick)),
            "peer": (self.peer_job, {**arguments, **setting}, self._n_runs(self.peer_runs, quick)),
        }
        pairs = []
        for number in range(n_repeats):
            # Each side comes first in turn: whatever else the machine does meets both alike.
            order = ("ours", "peer") if number % 2 == 0 else ("peer", "ours")
            pairs.append({side: run(*sides[side]) for side in order})
        return {"pairs": pairs, "peer_setting": setting, "peer_settings_tried": tried}

    def _n_runs(self, n_runs, quick):
        second_is_judged = any(figure.key == "warm_s" and figure.at_least is not None for figure in self.figures)
        return n_runs if not quick or second_is_judged else 1

    def _best_setting(self, run, arguments, quick):
        """Return the fastest of the peer's settings, and the first figure with each; quick mode takes the first."""
        if quick or len(self.peer_settings) == 1:
            return self.peer_settings[0], []
        key = self.figures[0].key
        n_runs = self.peer_runs if key == "warm_s" else 1
        tried = [
            {**setting, key: run(self.peer_job, {**arguments, **setting}, n_runs)[key]}
            for setting in self.peer_settings
        ]
        fastest = min(range(len(tried)), key=lambda number: tried[number][key])
        return self.peer_settings[fastest], tried


def _announced(run):
    """Return a function that runs a job and says on standard error which, because some take minutes."""

    def announce_and_run(job, arguments, n_runs):
        print(f"running {job} {arguments}", file=sys.stderr, flush=True)
        return run(job, arguments, n_runs)

    return announce_and_run


def line(figure, pairs):
    """Return the medians of both sides, how many times better ours is, and whether the target is met.

    The ratio is the median of those of the pairs, and comes with its range. What a side does not have is None, and a
    pair in which ours is nothing (no growth of memory) has no ratio.
    """
    ours, peer = ([pair[side].get(figure.key) for pair in pairs] for side in ("ours", "peer"))
    ratios = [p / o for o, p in zip(ours, peer, strict=True) if o is not None and p is not None and o > 0]
    result = {
        "figure": figure.key,
        "words": figure.words,
        "unit": figure.unit,
        "ours": _median(ours),
        "peer": _median(peer),
        "times": _median(ratios),
        "times_range": [min(ratios), max(ratios)] if ratios else None,
        "n_pairs": len(pairs),
        "at_least": figure.at_least,
        "at_most": figure.at_most,
    }
    return {**result, "met": _met(result)}


def _median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def _met(result):
    """Return whether the targets are met; None where there is none, or nothing that could tell."""
    judged = [
        (result["at_least"], result["times"], lambda limit, value: value >= limit),
        (result["at_most"], result["ours"], lambda limit, value: value <= limit),
    ]
    judged = [(limit, value, holds) for limit, value, holds in judged if limit is not None]
    if not judged or any(value is None for _, value, _ in judged):
        return None
    return all(holds(limit, value) for limit, value, holds in judged)
