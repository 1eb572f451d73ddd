"""Our Keras layers, known to Keras wherever it is loaded beside skstack.

Keras loads a layer that is not its own only if the class has been registered, and registering needs Keras, which takes
seconds to import. So ``import skstack`` does not import the layers; it sees to it that they are imported as soon as
somebody imports Keras. A pickled network, in a new process or from a worker, and a saved ``model_`` then load by
themselves.
"""

import sys
from importlib import import_module

#: Every module that registers layers; a test compares the list with the code.
LAYER_MODULES = (
    "skstack.branches._audio_layers",
    "skstack.branches._date_layers",
    "skstack.branches._entity_layers",
    "skstack.branches._image_layers",
    "skstack.branches._item_layers",
    "skstack.branches._layers",
    "skstack.branches._member_layers",
    "skstack.branches._numeric_layers",
    "skstack.branches._sequence_layers",
    "skstack.branches._text_layers",
    "skstack.backbones._scaling",
    "skstack.tasks._layers",
)


def register_layers():
    """Import our Keras layers, which registers them."""
    backend = sys.modules.get("skstack._backend")
    if backend is not None and not hasattr(backend, "keras"):
        return  # it is importing Keras, and calls again when it has
    for module in LAYER_MODULES:
        import_module(module)


def register_layers_with_keras():
    """Register our Keras layers now if Keras has been imported, and otherwise when it is."""
    if "keras" in sys.modules:
        register_layers()
    elif not any(isinstance(finder, _KerasFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _KerasFinder())


class _KerasFinder:
    """Finds Keras where the other finders do, and has our layers registered when it has been imported."""

    def find_spec(self, name, path=None, target=None):
        """Return what the other finders know of Keras; they are asked for any other module."""
        if name != "keras":
            return None
        others = (finder for finder in list(sys.meta_path) if finder is not self)
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in others)), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _RegisteringLoader(spec.loader)
        return spec


class _RegisteringLoader:
    """Another loader, whose module is followed by our layers."""

    def __init__(self, loader):
        self._loader = loader

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        """Let the other loader make the module."""
        return self._loader.create_module(spec)

    def exec_module(self, module):
        """Run the module, which keeps the other loader as its own, then register our layers."""
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        register_layers()
