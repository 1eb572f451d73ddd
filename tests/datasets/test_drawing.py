"""Photos of drawn houses."""

import numpy as np
import pytest

from skstack.datasets._drawing import draw_photo

ROOMS = ["bathroom", "bedroom", "frontal", "kitchen"]
HOUSE = {"area": 2000, "storeys": 1, "garage": 1, "pool": False, "sunny": False, "condition": 0.5}
HOUSE |= {"bathroom": 0.5, "bedroom": 0.5, "kitchen": 0.5}


def _draw(room, seed=0, **changes):
    return np.asarray(draw_photo(room, HOUSE | changes, np.random.default_rng(seed), 32), dtype=float)


@pytest.mark.parametrize("room", ROOMS)
def test_photos_are_images_that_a_seed_repeats(room):
    photo = _draw(room)
    assert photo.shape == (32, 32, 3)
    assert photo.std() > 10
    np.testing.assert_array_equal(photo, _draw(room))
    assert not np.array_equal(photo, _draw(room, seed=1))


@pytest.mark.parametrize(
    ("room", "change"),
    [
        ("kitchen", {"kitchen": 1.0}),
        ("bathroom", {"bathroom": 1.0}),
        ("bedroom", {"bedroom": 1.0}),
        ("frontal", {"storeys": 2}),
        ("frontal", {"condition": 0.0}),
    ],
)
def test_what_a_house_is_worth_shows(room, change):
    assert np.abs(_draw(room) - _draw(room, **change)).mean() > 1
