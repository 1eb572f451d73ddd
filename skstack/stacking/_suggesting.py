"""The parts of a stack that is given none: suggested for the training rows."""

from os import PathLike

from .._compat import routing_enabled, take
from .._parts import named_parts
from .._protocols import CrossFitter
from .._validation import VALIDATION
from ..branches._numeric import NumericBranch
from ._routing import last_step


class Suggesting:
    """What of a stack depends on whether its parts are given or suggested."""

    _suggesting_constraints = {  # noqa: RUF012 - scikit-learn's form
        "kinds": [dict, None],
        "image_root": [str, PathLike, None],
    }

    @property
    def _parts(self):
        """Tuples of the parts in use: those given, or those that were suggested for the training rows."""
        if self.estimators is not None:
            return self.estimators
        # Before a fit nobody knows, but that there will be a network.
        return getattr(self, "suggestion_", [("numbers", NumericBranch())])

    @property
    def _used_parts(self):
        """Pairs of name and part of the parts in use."""
        return named_parts(self._parts)

    def _check_suggesting(self):
        """Raise if parameters for suggestions are of no use."""
        if self.estimators is not None:
            unused = [name for name in ("kinds", "image_root") if getattr(self, name) is not None]
            if unused:
                raise ValueError(
                    f"{unused[0]!r} is for estimators=None, by which parts are suggested: {type(self).__name__} was "
                    "given 'estimators'. suggest_estimators takes it, too."
                )
        elif self.cv == "prefit":
            raise ValueError("cv='prefit' needs fitted 'estimators': those that are suggested are not fitted.")

    def _suggest(self, X, y, sample_weight):
        """Keep and return what is suggested for training rows."""
        from ..suggestion._suggest import suggest_estimators

        if sample_weight is not None and not sample_weight.all():  # rows of weight 0 are not there
            counts = sample_weight.nonzero()[0]
            X, y = take(X, counts, axis=0), take(y, counts, axis=0)
        said = {name: getattr(self, name) for name in ("kinds", "image_root", "network", "quality")}
        suggested = suggest_estimators(X, y, task=self._suggested_task(), **said)
        if routing_enabled():
            for learner in (last_step(part)[1] for _, part, _ in suggested):
                if hasattr(learner, "set_fit_request"):  # as what a stack makes by default does
                    more = dict.fromkeys(("groups", *VALIDATION), True) if isinstance(learner, CrossFitter) else {}
                    learner.set_fit_request(**{"sample_weight": True, **more})
        self.suggestion_ = suggested
        return suggested

    def _suggested_task(self):
        """Return what is predicted, as suggestions take it."""
        return {"regressor": "regression", "classifier": "classification"}[self._kind]
