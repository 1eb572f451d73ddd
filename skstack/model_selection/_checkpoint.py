"""What a search has finished, in a folder that outlives it: fits that are scored, and the base models in them."""

from collections import defaultdict
from pathlib import Path

from .._compat import format_cv_results
from ..caching._belonging import Record, facts_of_data, facts_of_parameters, read_record, take_folder
from ..caching._code import versions
from ..caching._content import digest
from ..caching._keeping import Unit
from ..caching._result_files import MISSING, read
from ..caching._results import FolderResults

#: What the files of fits that are scored are called, beside those of base models.
_FIT = "fit-"

#: What of the arguments of scikit-learn's ``_fit_and_score`` its scores depend on, besides estimator and data.
_SCORED_BY = (
    *("parameters", "train", "test", "scorer", "fit_params", "score_params", "error_score"),
    *("return_train_score", "return_parameters", "return_n_test_samples", "return_times", "return_estimator"),
)


class Checkpoint:
    """The folder of a search. It can be sent to other processes, which write into the same folder.

    Parameters
    ----------
    folder : path-like

    Attributes
    ----------
    results : FolderResults
        Where base models of candidates are kept.
    """

    def __init__(self, folder):
        self.folder = Path(folder).expanduser().absolute()
        self.results = FolderResults(self.folder)
        self._data = None

    def begin(self, estimator, X, y, **fit_params):
        """Take the folder for a search; before the first fit.

        Parameters
        ----------
        estimator : estimator
            That candidates are made of.
        X, y : array-like of shape (n_samples, ...)
        **fit_params : dict of str to object
            What else ``fit`` is given.

        Returns
        -------
        self : Checkpoint

        Raises
        ------
        ValueError
            If the folder belongs to other data or to another estimator; the message says what differs.
        OSError
            If nothing can be written there.
        """
        data = facts_of_data({"X": X, "y": y, **fit_params})
        record = Record(f"a search over {type(estimator).__name__}", facts_of_parameters(estimator), data)
        take_folder(self.folder, record)
        self._data = digest([(name, fact.digest) for name, fact in data.items()])
        return self

    def run(self, func, args, kwargs):
        """Return what a fit that is scored comes to; from the folder, if it was finished before.

        Parameters
        ----------
        func : callable
            scikit-learn's ``_fit_and_score``.
        args : tuple
            Estimator, X and y.
        kwargs : dict
            With the parameters of the candidate and the rows of the fold.

        Returns
        -------
        result : dict
            One of a fit that failed is not kept.
        """
        scored_by = [(name, kwargs.get(name)) for name in _SCORED_BY]
        key = digest(versions(), self._data, args[0], scored_by)
        unit = Unit(self.results, None if key is None else _FIT + key)
        return unit.get(lambda: _ScoredFit.of(func, args, kwargs), keeps=_ScoredFit.is_sound).result


class _ScoredFit:
    """What a fit came to, and which one it was."""

    def __init__(self, parameters, candidate, split, n_splits, result):
        self.parameters, self.candidate, self.result = parameters, candidate, result
        self.split, self.n_splits = split, n_splits

    @classmethod
    def of(cls, func, args, kwargs):
        """Fit and score."""
        candidate, _ = kwargs.get("candidate_progress") or (0, 1)
        return cls(kwargs["parameters"], candidate, *kwargs["split_progress"], func(*args, **kwargs))

    def is_sound(self):
        """Tell whether the fit did not fail."""
        return self.result.get("fit_error") is None


def read_cv_results(checkpoint):
    """Read the results of the candidates that a search has finished so far, while it runs or after it was stopped.

    Parameters
    ----------
    checkpoint : str or path-like
        Folder that the search was given as `checkpoint`.

    Returns
    -------
    cv_results : dict of str to array
        As ``cv_results_`` of the search, of the candidates of which all folds are scored; a table by
        ``pandas.DataFrame(cv_results)``. Empty where there is none yet. Ranks are those among these candidates.

    Raises
    ------
    FileNotFoundError
        If the folder is none of a search.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import make_regression
    >>> from sklearn.linear_model import Ridge
    >>> from skstack.model_selection import GridSearchCV, read_cv_results
    >>> X, y = make_regression(n_samples=30, n_features=3, random_state=0)
    >>> with TemporaryDirectory() as folder:
    ...     search = GridSearchCV(Ridge(), {"alpha": [0.1, 1.0]}, cv=3, checkpoint=folder).fit(X, y)
    ...     results = read_cv_results(folder)
    >>> results["params"]
    [{'alpha': 0.1}, {'alpha': 1.0}]
    """
    folder = Path(checkpoint).expanduser()
    if read_record(folder) is None:
        raise FileNotFoundError(f"{str(checkpoint)!r} is no checkpoint folder of a search.")
    candidates = _finished(folder)
    if not candidates:
        return {}
    results = [fit.result for fits in candidates for fit in fits]
    params = [fits[0].parameters for fits in candidates]
    return format_cv_results(params, len(candidates[0]), results, "train_scores" in results[0])


def _finished(folder):
    """Return the fits of all folds of each candidate that has them, in the order of the search."""
    files = sorted(folder.glob(f"{_FIT}*.kept"), key=lambda file: file.stat().st_mtime_ns)
    by_candidate = defaultdict(lambda: defaultdict(list))
    for fit in filter(lambda fit: fit is not MISSING, map(read, files)):
        by_candidate[digest(fit.parameters)][fit.split].append(fit)
    found = []
    for by_split in by_candidate.values():
        n_splits = next(iter(by_split.values()))[0].n_splits
        # A candidate is scored several times where a search by halving gives it more rows each time.
        rounds = zip(*(by_split[split] for split in range(n_splits)), strict=False)
        found += [(number, fits[0].candidate, fits) for number, fits in enumerate(rounds)]
    return [fits for _, _, fits in sorted(found, key=lambda item: item[:2])]
