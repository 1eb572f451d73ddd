"""Branch that starts from the weights that it has in another network."""

import os
from copy import copy
from os import PathLike

import numpy as np
from sklearn.base import clone

from ..training._trainable import narrow_trainable
from ._base import Branch

#: Names that an error lists.
_MAX_NAMED = 5


class PretrainedBranch(Branch):
    """Branch that starts from weights that were trained elsewhere.

    ``network.get_branch(name)`` makes one from a branch of a fitted network, with all that it learned there. It goes
    into another network or stack like any branch, with columns of the same kind.

    Parameters
    ----------
    branch : Branch
        How columns become a feature vector. One that is fitted stays as it is, with the vocabulary and the statistics
        that it has; one that is not is fitted to the training rows. It is never changed.
    weights : dict of str to ndarray, str or path-like
        Weights of the branch's sub-network by name, or the ``.keras`` file of a model that holds them.
    layer : str, default=None
        In a file, which layer of the model has the weights, such as ``"photo_branch"`` in the saved ``model_`` of a
        network; ``None`` is the model itself.
    trainable : bool, int or str, default=True
        Which layers training changes: all (True), none (False), the last so many, or those whose names fit a pattern
        such as ``"dense_*"``. A layer that is frozen in `branch` stays so.

    Attributes
    ----------
    branch_ : Branch
        The fitted branch.
    weights_ : dict of str to ndarray
        The weights that the sub-network starts from.
    input_shape_ : tuple of int
        Shape of one encoded row.
    input_dtype_ : str
        Dtype of the encoded rows.

    See Also
    --------
    ModelBranch : Starts from any Keras model.

    Examples
    --------
    >>> import pandas as pd
    >>> from skstack import MultimodalNetworkRegressor
    >>> from skstack.branches import CategoricalBranch
    >>> X = pd.DataFrame({"city": ["Aachen", "Bonn", "Celle"] * 10})
    >>> rents = MultimodalNetworkRegressor([("city", CategoricalBranch(dim=2))], epochs=1, random_state=0)
    >>> city = rents.fit(X, range(30)).get_branch("city", trainable=False)
    >>> prices = MultimodalNetworkRegressor([("city", city)], epochs=1, random_state=0)
    >>> prices.fit(X, range(30)).predict(X.head(2)).shape
    (2,)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        "branch": [Branch],
        "weights": [dict, str, PathLike],
        "layer": [str, None],
    }

    def __init__(self, branch, weights, *, layer=None, trainable=True):
        self.branch = branch
        self.weights = weights
        self.layer = layer
        self.trainable = trainable

    # --- scikit-learn -----------------------------------------------------------------------------------------------

    def get_params(self, deep=True):
        """Get the parameters of this branch; those of the one inside are not for setting, as clones share it.

        Parameters
        ----------
        deep : bool, default=True
            Ignored.

        Returns
        -------
        params : dict
            Parameter names mapped to their values.
        """
        return super().get_params(deep=False)

    def __sklearn_clone__(self):
        # scikit-learn would make the fitted branch an unfitted one.
        return type(self)(**self.get_params())

    # --- what the branch inside says ----------------------------------------------------------------------------------

    @property
    def shared(self):
        """Whether each column goes through the same sub-network by itself."""
        return self.branch.shared

    @property
    def merge(self):
        """How the feature vectors of shared columns become one."""
        return self.branch.merge

    @property
    def allow_missing(self):
        """Whether cells may be missing."""
        return self.branch.allow_missing

    @property
    def accept_sparse(self):
        """Whether columns may be a sparse matrix."""
        return self.branch.accept_sparse

    @property
    def missing_embedding(self):
        """Whether a row whose cells are all missing gets a trained vector in place of its features."""
        return self.branch.missing_embedding

    # --- rows -------------------------------------------------------------------------------------------------------

    def fit(self, X, y=None, sample_weight=None):
        """Learn from training rows what encoding needs, unless it is known from elsewhere.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_columns) or ndarray of shape (n_samples, ...)
            The branch's columns.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in means and quantiles; nothing is learned from rows of weight 0.

        Returns
        -------
        self : PretrainedBranch
            The fitted branch.

        Raises
        ------
        ValueError, TypeError, FileNotFoundError
            If a parameter, a cell or the file of weights cannot be used.
        """
        self.check_parameters()
        known = hasattr(self.branch, "input_shape_")
        self.branch_ = self.branch if known else clone(self.branch)
        super().fit(X, sample_weight=sample_weight)
        if not known:
            self.branch_.input_shape_ = self.input_shape_
        elif self.input_shape_ != self.branch_.input_shape_:
            expected, n_columns = self.branch_.input_shape_[0], self.input_shape_[0]
            raise ValueError(f"expected {expected} columns as in training, got {n_columns}.")
        self.weights_ = self.weights if isinstance(self.weights, dict) else _weights_in(self.weights, self.layer)
        return self

    def check_parameters(self):
        """Raise if a parameter has a value that no training could use."""
        super().check_parameters()
        self.branch.check_parameters()

    def _fit(self, X, sample_weight=None):
        if self.branch_ is not self.branch:
            weighted = {"sample_weight": sample_weight} if self.branch_._takes_weights() else {}
            self.branch_._fit(X, **weighted)
        self.cell_shape_, self.input_dtype_ = self.branch_.cell_shape_, self.branch_.input_dtype_

    def _encode(self, X):
        return self.branch_._encode(X)

    def _encode_or_missing(self, X):
        return self.branch_._encode_or_missing(X)

    def is_encoded_like(self, other):
        """Tell whether another fitted branch encodes every row as this one does."""
        return self.branch_ is other.branch_ or self.branch_.is_encoded_like(other.branch_)

    # --- sub-network ------------------------------------------------------------------------------------------------

    def is_built_like(self, other):
        """Tell whether another fitted branch builds the same layers."""
        return self.branch_ is other.branch_ or self.branch_.is_built_like(other.branch_)

    def features(self, inputs):
        """Return the feature vector of symbolic `inputs`, as the branch inside does."""
        return self.branch_.features(inputs)

    def assign_statistics_to(self, model):
        """Write what the branch inside learned from rows into a sub-network that :meth:`assemble` made."""
        self.branch_.assign_statistics_to(model)

    # --- inspection -------------------------------------------------------------------------------------------------

    @property
    def attributed_layers(self):
        """Those of the branch inside."""
        return self.branch_.attributed_layers

    def in_detail(self, pixels=False):
        """Return a copy with the branch inside in detail, without weights to start from: it has learned since."""
        detailed = copy(self)
        detailed.branch_, detailed.weights_ = self.branch_.in_detail(pixels), None
        for name in ("cell_shape_", "input_shape_", "input_dtype_"):
            setattr(detailed, name, getattr(detailed.branch_, name))
        return detailed

    def baseline(self, outputs):
        """Return what the branch inside says."""
        return self.branch_.baseline(outputs)

    def sum_over_parts(self, attributions, encoded):
        """Return what the branch inside says."""
        return self.branch_.sum_over_parts(attributions, encoded)

    def part_names(self, X, encoded):
        """Return what the branch inside says."""
        return self.branch_.part_names(X, encoded)

    def _runs_code_of_user(self):
        return self.branch_._runs_code_of_user()

    @property
    def has_adapters(self):
        """Whether members that share weights differ in this branch: they all start from the same weights."""
        return False

    def _assemble(self, name, n_members=1):
        model = self.branch_._assemble(name)
        if self.weights_ is not None:
            _start_from(model, self.weights_)
        narrow_trainable(model, self.trainable)
        return model


def _weights_in(path, layer):
    """Return the weights of the model in a file, or of one of its layers, by name."""
    from .._backend import keras, names_of_their_own
    from ..training._values import values_of

    path = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no file {path!r}.")
    with names_of_their_own():
        model = keras.saving.load_model(path, compile=False)
    if layer is None:
        return values_of(model)
    names = [part.name for part in model.layers]
    if layer not in names:
        raise ValueError(f"the model in {path!r} has no layer {layer!r}; it has {', '.join(names)}.")
    return values_of(model.get_layer(layer))


def _start_from(model, weights):
    """Give the variables of a sub-network the values of the weights that are called like them."""
    from ..training._values import named_variables

    variables = named_variables(model)
    of_layers = {id(variable) for variable in model.weights}  # those of random generators may begin anywhere
    lacking = [name for name, variable in variables.items() if id(variable) in of_layers and name not in weights]
    if lacking:
        raise ValueError(
            f"the weights lack {_listed(lacking)}, which the branch has; they are called {_listed(weights)}."
        )
    for name, variable in variables.items():
        if name not in weights:
            continue
        shape, given = tuple(variable.shape), np.shape(weights[name])
        if shape != given:
            raise ValueError(
                f"the weights {name!r} have the shape {given}, the branch has {shape} there: it should have the "
                "parameters that it was trained with, and a branch with a vocabulary should be the fitted one."
            )
        variable.assign(weights[name])


def _listed(names):
    names = list(names)
    more = f" and {len(names) - _MAX_NAMED} more" if len(names) > _MAX_NAMED else ""
    return ", ".join(map(repr, names[:_MAX_NAMED])) + more
