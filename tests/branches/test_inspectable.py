"""What branches have in common in what they say about their inside, of which test_every_branch.py tests the rest."""

import numpy as np
import pandas as pd
from numpy.testing import assert_array_equal

from skstack.branches._inspectable import flags_with_numbers, names_of_columns


def test_the_flag_of_a_gap_counts_as_its_number():
    assert_array_equal(flags_with_numbers(np.array([[1, 2, 10, 20]]), 2), [[11, 22]])
    assert_array_equal(flags_with_numbers(np.array([[1, 2]]), 2), [[1, 2]])


def test_columns_of_an_array_are_called_by_their_place():
    assert names_of_columns(pd.DataFrame({"a": [1], 3: [2]})).tolist() == ["a", "3"]
    assert names_of_columns(np.zeros((1, 2))).tolist() == ["0", "1"]
