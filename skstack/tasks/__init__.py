"""Tasks: what is predicted."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Classification": "._specs",
        "Regression": "._specs",
        "make_task_scorer": "._scorers",
        "make_task_scorers": "._scorers",
    },
)
