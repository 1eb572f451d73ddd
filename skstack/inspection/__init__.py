"""What each photo, word, number, column and layer contributes, with displays that draw it."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "AttributionDisplay": "._attribution_display",
        "FilterDisplay": "._filter_display",
        "ImageMapDisplay": "._image_map_display",
        "NoiseCurveDisplay": "._noise_display",
        "TextAttributionDisplay": "._text_display",
        "activations": "._activations",
        "attention_weights": "._attention",
        "grad_cam": "._grad_cam",
        "integrated_gradients": "._integrated_gradients",
        "maximize_activation": "._maximize",
        "noise_curve": "._noise",
        "one_pixel_attack": "._one_pixel",
        "saliency": "._saliency",
        "top_examples": "._activations",
    },
)
