"""Inspection: what a fitted stack or network is, has learned and what speaks against it."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Finding": "._check_stack",
        "MemberPredictionsDisplay": "._member_predictions",
        "NetworkDisplay": "._network_display",
        "TrainingHistoryDisplay": "._training_history",
        "check_stack": "._check_stack",
        "report": "._report",
        "skstack_checks": "._skore",
    },
)
