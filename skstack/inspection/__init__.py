"""Inspection: what a fitted stack or network is, what each part of it contributes, and what speaks against it."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AttributionDisplay": "._attribution_display",
        "DroppedModalityDisplay": "._dropped_modalities",
        "FilterDisplay": "._filter_display",
        "Finding": "._check_stack",
        "ImageMapDisplay": "._image_map_display",
        "MemberImportanceDisplay": "._member_importance_display",
        "MemberPredictionsDisplay": "._member_predictions",
        "ModalityImportanceDisplay": "._modality_importance_display",
        "ModalityInteractionDisplay": "._interaction_display",
        "NetworkDisplay": "._network_display",
        "NoiseCurveDisplay": "._noise_display",
        "TextAttributionDisplay": "._text_display",
        "TrainingHistoryDisplay": "._training_history",
        "WaterfallDisplay": "._waterfall_display",
        "activations": "._activations",
        "attention_weights": "._attention",
        "check_stack": "._check_stack",
        "dropped_modality_curve": "._dropped_modalities",
        "grad_cam": "._grad_cam",
        "integrated_gradients": "._integrated_gradients",
        "maximize_activation": "._maximize",
        "member_importance": "._member_importance",
        "modality_importance": "._modality_importance",
        "noise_curve": "._noise",
        "one_pixel_attack": "._one_pixel",
        "report": "._report",
        "saliency": "._saliency",
        "shapley_values": "._shapley_values",
        "skstack_checks": "._skore",
        "top_examples": "._activations",
    },
)
