"""What `quality` stands for, where a parameter of a stack, or of suggestions for it, is left at None."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quality:
    """How much time a stack takes.

    Parameters
    ----------
    n_folds : int
        Where `cv` is None.
    n_members : int
        Where `network` is None, of networks whose branches are all light.
    """

    n_folds: int
    n_members: int

    def members(self, branches):
        """Return how many members a network of some branches has, a list of (str, Branch, columns)."""
        return self.n_members if all(branch.is_light for _, branch, _ in branches) else 1


#: By name. Which learners are suggested for each, :func:`skstack.suggest_estimators` knows.
QUALITIES = {
    "fast": Quality(n_folds=3, n_members=1),
    "good": Quality(n_folds=5, n_members=4),
    "best": Quality(n_folds=10, n_members=8),
}
