"""The diagram of a stack that a notebook shows."""

from .._compat import VisualBlock
from .._parts import split_part
from ..branches._base import Branch
from ._members import JOINT

#: What scikit-learn asks of an estimator beside its block.
_ASKED = ("_get_doc_link", "_get_params_html", "_get_fitted_attr_html")


def diagram(parts, network, final):
    """Return the blocks of a stack: base models side by side, and the final estimator below.

    Parameters
    ----------
    parts : list of (str, branch or estimator[, columns]) or None
        ``None`` if they will be suggested for the training rows.
    network : estimator or None
        What all branches are fused into; ``None`` if each has a network of its own.
    final : estimator

    Returns
    -------
    block : VisualBlock
    """
    last = VisualBlock("parallel", [final], names=["final_estimator"], dash_wrapped=False)
    if parts is None:
        base = VisualBlock("parallel", ["suggest_estimators(X, y)"], names=["estimators"], dash_wrapped=False)
        return VisualBlock("serial", (base, last), dash_wrapped=False)
    parts = [split_part(part) for part in parts]
    branches = [part for part in parts if isinstance(part[1], Branch)]
    base = _side_by_side(parts)
    if network is not None and branches:
        learners = [part for part in parts if part not in branches]
        fused = VisualBlock("parallel", [_Box(network)], names=[JOINT], dash_wrapped=False)
        joint = VisualBlock("serial", [_side_by_side(branches), fused], dash_wrapped=False)
        base = _side_by_side([(None, joint, None), *learners])
    return VisualBlock("serial", (base, last), dash_wrapped=False)


def _side_by_side(parts):
    names, estimators, columns = zip(*parts, strict=True)
    details = [None if chosen is None else str(chosen) for chosen in columns]
    return VisualBlock("parallel", estimators, names=names, name_details=details, dash_wrapped=False)


class _Box(VisualBlock):
    """A box for an estimator without what it is made of, which is shown elsewhere."""

    def __init__(self, estimator):
        super().__init__("single", estimator, names=type(estimator).__name__, name_details=str(estimator))

    def __getattr__(self, name):
        if name in _ASKED:
            return getattr(self.estimators, name)
        raise AttributeError(name)
