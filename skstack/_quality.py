"""What `quality` stands for, where a parameter of a stack, or of suggestions for it, is left at None."""

from dataclasses import dataclass

#: Rows up to which as many members are worth their time: of four networks of 18,500 reviews, a stack gained nothing by
#: the last three, and they took most of its time (`docs/performance.md`).
_MANY_ROWS = 10_000


@dataclass(frozen=True)
class Quality:
    """How much time a stack takes.

    Parameters
    ----------
    n_folds : int
        Where `cv` is None.
    n_members : int
        Where `network` is None, of networks whose branches are all light, and of suggested boosting; half as many for
        many rows.
    """

    n_folds: int
    n_members: int

    def members(self, branches, n_rows):
        """Return how many members a network has, of branches as a list of (str, Branch, columns) and for some rows."""
        return self.light_members(n_rows) if all(branch.is_light for _, branch, _ in branches) else 1

    def light_members(self, n_rows):
        """Return how many members a model has that takes little time, for some rows."""
        return self.n_members if n_rows <= _MANY_ROWS else max(self.n_members // 2, 1)


#: By name. Which learners are suggested for each, :func:`skstack.suggest_estimators` knows.
QUALITIES = {
    "fast": Quality(n_folds=3, n_members=1),
    "good": Quality(n_folds=5, n_members=4),
    "best": Quality(n_folds=10, n_members=8),
}
