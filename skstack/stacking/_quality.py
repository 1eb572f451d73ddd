"""What `quality` stands for, where a parameter of a stack is left at None."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Quality:
    """How much time a stack takes.

    Parameters
    ----------
    n_folds : int
        Where `cv` is None.
    network : dict of str to object
        Parameters of networks, where `network` is None, other than their defaults.
    """

    n_folds: int
    network: dict = field(default_factory=dict)


#: By name. Which learners are suggested for each, :func:`skstack.suggest_estimators` knows.
QUALITIES = {
    "fast": Quality(n_folds=3, network={"n_members": 1}),
    "good": Quality(n_folds=5),
    "best": Quality(n_folds=10, network={"n_members": 4}),
}
