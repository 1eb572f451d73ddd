"""Checks of targets that several tasks share."""

import numpy as np
import pandas as pd
import pytest

from skstack.tasks._checks import refuse_rows


def test_nothing_refused_is_no_error():
    refuse_rows([1.0], np.array([1.0]), np.array([False]), "NaN")


def test_rows_are_named_with_their_index_and_the_first_cell_is_shown():
    y = pd.Series([1.0, -7.0, 2.0], index=["a", "b", "c"])
    with pytest.raises(ValueError, match=r"Input y contains negatives: -7.0 in row 1 \(index 'b'\)\.$"):
        refuse_rows(y, y.to_numpy(), y.to_numpy() < 0, "negatives")


def test_few_of_many_rows_are_named():
    y = np.zeros((9, 2))
    with pytest.raises(ValueError, match="row 0, row 1, row 2, row 3, row 4 and 4 more"):
        refuse_rows(y, y, y == 0, "zeros")
