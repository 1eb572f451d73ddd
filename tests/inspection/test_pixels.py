"""Images as branches see them, and maps of their size."""

import numpy as np
import pytest

from skstack.branches import ImageBranch, NumericBranch, PretrainedBranch
from skstack.inspection._pixels import image_branch, pixels_of, resized


def test_pixels_are_whole_and_between_0_and_255():
    assert pixels_of([[-3.0, 0.4, 0.6, 300.0]]).tolist() == [[0, 0, 1, 255]]
    assert pixels_of(np.float32([1])).dtype == np.uint8


@pytest.mark.parametrize("size", [(4, 6), (2, 3)])
def test_maps_change_their_size_and_keep_their_order(size):
    maps = np.float32([[[0, 1, 2], [3, 4, 5]], [[1, 1, 1], [1, 1, 1]]])
    larger = resized(maps, size)
    assert larger.shape == (2, *size)
    assert larger[0, 0, 0] == larger.min() == 0
    assert larger[0, -1, -1] == larger[0].max() == 5
    np.testing.assert_allclose(larger[1], 1)


def test_a_branch_of_images_is_one_in_another_one_too():
    images = np.zeros((2, 4, 4, 3), dtype="uint8")
    branch = ImageBranch(size=(4, 4), filters=(2,)).fit(images)
    around = PretrainedBranch(branch, {}).fit(images)
    assert image_branch(branch) is branch
    assert image_branch(around) is branch
    assert image_branch(NumericBranch()) is None
