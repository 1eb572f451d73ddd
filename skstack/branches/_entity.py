"""Branch for entities: ids of one kind that stand in several columns."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval

from ._base import Branch
from ._blocks import CHANNELS_LAST
from ._categorical import category_columns, code_table, count_categories, looked_up, ordered, rounded_up, vector_length
from ._inspectable import names_of_columns

#: The code of a cell that says nothing: missing, unseen in training, or too rare.
_NOBODY = 0


class EntityBranch(Branch):
    """Branch for ids of one kind in several columns, such as the two teams of a game: one trained vector for each id.

    An id has the same vector in whatever column it stands. The vectors of the columns are merged, and dense layers may
    follow. With ``dim=1`` and ``merge="subtract"``, the vectors are strengths whose difference predicts the result.

    The vector of an id that is missing, unseen in training or too rare is 0 and stays so: "subtract" then leaves the
    strength of the other team alone.

    Parameters
    ----------
    dim : int, default=None
        Length of the vectors. ``None`` takes ``min(50, round(1.6 * n ** 0.56))`` as
        :class:`~skstack.branches.CategoricalBranch` does, where n is the number of ids, rounded up to a power of two.
    merge : {"concatenate", "add", "subtract", "multiply", "dot", "average", "maximum"}, default="concatenate"
        How the vectors of a row become one. "subtract" takes two columns.
    hidden : tuple of int, default=()
        Units of the dense layers behind the merged vectors; empty for none.
    min_frequency : int, default=1
        Ids that stand in fewer cells of the training rows are treated as unseen.
    activation : str, default="relu"
        Activation of the dense layers, by its Keras name, or "prelu".
    dropout : float, default=0.0
        Rate of the dropout after each dense layer.
    batch_norm : bool, default=False
        Whether to normalise over the batch before each activation.
    shared : bool, default=False
        Whether the dense layers stand in front of the merge, the same ones for each column, rather than behind it.

    Attributes
    ----------
    entities_ : ndarray of shape (n_entities,)
        The ids that have a vector, in the order of their codes, which count from 1.
    cell_shape_, input_shape_ : tuple of int
        ``(n_columns,)``; the first is ``(1,)`` and the second ``(n_columns, 1)`` if `shared`.
    input_dtype_ : str
        "int32".

    See Also
    --------
    CategoricalBranch : Columns of categories that have nothing to do with each other.

    Examples
    --------
    >>> import pandas as pd
    >>> from skstack.branches import EntityBranch
    >>> games = pd.DataFrame({"team_1": ["Aces", "Bears"], "team_2": ["Bears", "Cubs"]})
    >>> branch = EntityBranch(dim=1, merge="subtract").fit(games)
    >>> branch.encode(pd.DataFrame({"team_1": ["Cubs", "Aces"], "team_2": ["Dodos", None]}))
    array([[3, 0],
           [1, 0]], dtype=int32)
    """

    _parameter_constraints = {  # noqa: RUF012 - scikit-learn's form
        **Branch._parameter_constraints,
        "dim": [Interval(Integral, 1, None, closed="left"), None],
        "min_frequency": [Interval(Real, 1, None, closed="left")],
    }

    missing_embedding = False
    is_light = True

    def __init__(
        self,
        dim=None,
        merge="concatenate",
        *,
        hidden=(),
        min_frequency=1,
        activation="relu",
        dropout=0.0,
        batch_norm=False,
        shared=False,
    ):
        self.dim = dim
        self.merge = merge
        self.hidden = hidden
        self.min_frequency = min_frequency
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.shared = shared

    def _fit(self, X):
        n_columns = X.shape[1] if X.ndim == 2 else 1
        if self.merge == "subtract" and not self.shared and n_columns != 2:
            raise ValueError(f"merge='subtract' takes two columns, got {n_columns}.")
        counts = {}
        for values, codes in category_columns(X):
            for value, count in count_categories(values, codes).items():
                counts[value] = counts.get(value, 0) + count
        self.entities_ = ordered(value for value, count in counts.items() if count >= self.min_frequency)
        self._codes = code_table(self.entities_, first=_NOBODY + 1)
        self._n_rows = rounded_up(_NOBODY + 1 + len(self.entities_))
        self.cell_shape_ = (n_columns,)
        self.input_dtype_ = "int32"

    def _encode(self, X):
        encoded = np.empty((X.shape[0], *self.cell_shape_), dtype="int32")
        for position, (values, codes) in enumerate(category_columns(X)):
            encoded[:, position] = looked_up(values, codes, self._codes, unseen=_NOBODY, missing=_NOBODY)
        return encoded

    def features(self, inputs):
        """Return the merged vectors of symbolic `inputs` of shape (None, n_columns)."""
        from .._backend import keras
        from ._entity_layers import EntityVectors
        from ._layers import Merge

        vectors = EntityVectors(self._n_rows, self._dim(), name="entities")(inputs)
        if self.shared:
            return keras.layers.Flatten(CHANNELS_LAST, name="flatten")(vectors)
        return Merge(self.merge, name="merge")(vectors)

    def is_encoded_like(self, other):
        """Tell whether another fitted branch encodes every row as this one does."""
        return self._codes == other._codes and self.cell_shape_ == other.cell_shape_

    def is_built_like(self, other):
        """Tell whether another fitted branch builds the same layers."""
        return (self._n_rows, self._dim(), self.cell_shape_) == (other._n_rows, other._dim(), other.cell_shape_)

    # --- inspection -------------------------------------------------------------------------------------------------

    attributed_layers = ("entities",)

    def sum_over_parts(self, attributions, encoded):
        """Return attributions to the ids."""
        return attributions[0][0].sum(axis=-1)

    def part_names(self, X, encoded):
        """Return the names of the columns."""
        return names_of_columns(X)

    def _dim(self):
        return self.dim or vector_length(len(self.entities_))
