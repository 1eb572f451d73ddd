"""Inspection: what a fitted stack or network is, what each part of it contributes, and what speaks against it."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "DroppedModalityDisplay": "._dropped_modalities",
        "Finding": "._check_stack",
        "MemberImportanceDisplay": "._member_importance_display",
        "MemberPredictionsDisplay": "._member_predictions",
        "ModalityImportanceDisplay": "._modality_importance_display",
        "ModalityInteractionDisplay": "._interaction_display",
        "NetworkDisplay": "._network_display",
        "TrainingHistoryDisplay": "._training_history",
        "WaterfallDisplay": "._waterfall_display",
        "check_stack": "._check_stack",
        "dropped_modality_curve": "._dropped_modalities",
        "member_importance": "._member_importance",
        "modality_importance": "._modality_importance",
        "report": "._report",
        "shapley_values": "._shapley_values",
        "skstack_checks": "._skore",
    },
)
