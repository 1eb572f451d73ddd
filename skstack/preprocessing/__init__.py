"""Preparing data outside networks."""

from .._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "ImageEmbedder": "._image_embedder",
        "PredictionTransformer": "._prediction_transformer",
        "TableReader": "._table_reader",
        "TargetEncoder": "._target_encoder",
        "TextEmbedder": "._text_embedder",
        "clear_embedding_cache": "..caching._features",
        "clear_image_cache": "..reading._image_columns",
        "make_windows": "._windows",
        "tensor_column": "..reading._tensors",
    },
)
