"""What searches draw from, for an engine."""

import numpy as np
import pytest
from scipy.stats import loguniform, norm, randint
from sklearn.linear_model import Ridge

from skstack.model_selection._spaces import Choice, Quantiles, decoded, dimension, dimensions, identity


def _never(own):
    return False


@pytest.mark.parametrize(
    "values", [[1, 2.5, "a", None], [True, 1, 1.0], [Ridge(1.0), Ridge(1.0), "drop"], [(32,), (32, 16)]]
)
def test_every_value_of_a_list_has_a_label_of_its_own(values):
    choice = dimension("size", values, _never)
    assert len({(type(label), label) for label in choice.labels}) == len(values)
    assert [choice.value(label) for label in choice.labels] == values
    assert all(label is None or isinstance(label, bool | int | float | str) for label in choice.labels)


def test_values_of_arrays_are_numbers_of_python():
    choice = dimension("size", np.array([1, 2]), _never)
    assert [type(label) for label in choice.labels] == [int, int]


def test_quantiles_that_are_drawn_evenly_give_the_distribution():
    drawn = dimension("rate", loguniform(1e-4, 1.0), _never)
    assert drawn.value(0.5) == pytest.approx(1e-2)
    assert drawn.value(0.25) == pytest.approx(1e-3)


def test_numbers_of_a_discrete_distribution_are_whole_and_its_own():
    drawn = dimension("depth", randint(1, 4), _never)
    values = [drawn.value(quantile) for quantile in (drawn.low, 0.5, drawn.high)]
    assert values == [1, 2, 3]
    assert all(type(value) is int for value in values)


def test_the_ends_of_an_unbounded_distribution_are_finite():
    drawn = dimension("shift", norm(), _never)
    assert np.isfinite([drawn.value(drawn.low), drawn.value(drawn.high)]).all()


def test_what_is_the_engines_own_is_left_as_it_is():
    own = object()
    assert dimension("rate", own, lambda searched: searched is own) is own
    assert decoded({"rate": own}, {"rate": 3}) == {"rate": 3}


def test_drawn_labels_and_quantiles_become_parameters():
    searched = dimensions({"part": [Ridge, "drop"], "rate": randint(0, 2)}, _never)
    assert isinstance(searched["part"], Choice)
    assert isinstance(searched["rate"], Quantiles)
    assert decoded(searched, {"part": searched["part"].labels[0], "rate": 0.9}) == {"part": Ridge, "rate": 1}


@pytest.mark.parametrize("searched, error", [([], ValueError), (3, TypeError), ("abc", TypeError), (None, TypeError)])
def test_anything_else_is_an_error_that_names_the_parameter(searched, error):
    with pytest.raises(error, match="The parameter 'rate'"):
        dimension("rate", searched, _never)


def test_distributions_that_are_alike_have_one_identity_whatever_was_drawn_in_between():
    before = identity(Quantiles(loguniform(1e-4, 1.0)))
    np.random.default_rng()
    loguniform(1, 2).rvs(3)
    assert before == identity(Quantiles(loguniform(1e-4, 1.0)))
    assert before != identity(Quantiles(loguniform(1e-3, 1.0)))
