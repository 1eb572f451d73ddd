"""Inspection: what each modality, base model, column and layer of a fitted stack or network contributes."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "DroppedModalityDisplay": "._dropped_modalities",
        "MemberImportanceDisplay": "._member_importance_display",
        "ModalityImportanceDisplay": "._modality_importance_display",
        "ModalityInteractionDisplay": "._interaction_display",
        "WaterfallDisplay": "._waterfall_display",
        "dropped_modality_curve": "._dropped_modalities",
        "member_importance": "._member_importance",
        "modality_importance": "._modality_importance",
        "shapley_values": "._shapley_values",
    },
)
