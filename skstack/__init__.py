"""One scikit-learn estimator for rows of several kinds of data."""

from ._lazy import attach
from ._registration import register_layers_with_keras

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "KerasClassifier": "._scikeras",
        "KerasRegressor": "._scikeras",
        "MultimodalNetworkClassifier": ".network._classifier",
        "MultimodalNetworkRegressor": ".network._regressor",
        "MultimodalStackingClassifier": ".stacking._classifier",
        "MultimodalStackingMultitask": ".stacking._multitask",
        "MultimodalStackingRegressor": ".stacking._regressor",
        "MultitaskNetwork": ".network._multitask",
        "NetworkEmbedder": ".network._embedder",
        "ScaledSVR": "._scaled_svr",
        "SeedEnsembleClassifier": "._seed_ensemble",
        "SeedEnsembleRegressor": "._seed_ensemble",
        "Stage": ".network._stages",
        "WeightedAverageClassifier": ".stacking._weighted_average",
        "WeightedAverageRegressor": ".stacking._weighted_average",
        "branches": ".branches",
        "datasets": ".datasets",
        "inspection": ".inspection",
        "model_selection": ".model_selection",
        "parallel": ".parallel",
        "preprocessing": ".preprocessing",
        "suggest_estimators": ".suggestion._suggest",
        "tasks": ".tasks",
        "training": ".training",
    },
)

register_layers_with_keras()
