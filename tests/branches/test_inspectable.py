"""What a branch says about its inside; integrated gradients test that it is true."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from test_every_branch import CASES

from skstack.branches._inspectable import flags_with_numbers, names_of_columns


@pytest.mark.parametrize("case", CASES)
def test_a_branch_in_detail_encodes_the_same_rows_and_has_the_layers_that_it_names(case):
    branch, make_rows, _ = CASES[case]
    X = make_rows()
    fitted = branch.fit(X)
    detailed = fitted.in_detail()
    assert detailed is not fitted
    assert_array_equal(np.asarray(detailed.encode(X)), np.asarray(fitted.encode(X)))
    model = detailed.assemble("part")
    encoder = model.get_layer("encoder") if detailed.uses else model
    for path in detailed.attributed_layers:
        first = path.split("/")[0]
        assert first in [layer.name for layer in encoder.layers]
    assert detailed.attributed_layers or detailed.input_dtype_.startswith("float")


def test_the_flag_of_a_gap_counts_as_its_number():
    assert_array_equal(flags_with_numbers(np.array([[1, 2, 10, 20]]), 2), [[11, 22]])
    assert_array_equal(flags_with_numbers(np.array([[1, 2]]), 2), [[1, 2]])


def test_columns_of_an_array_are_called_by_their_place():
    assert names_of_columns(pd.DataFrame({"a": [1], 3: [2]})).tolist() == ["a", "3"]
    assert names_of_columns(np.zeros((1, 2))).tolist() == ["0", "1"]
