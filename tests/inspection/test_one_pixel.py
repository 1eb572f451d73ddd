"""One-pixel attacks on networks and stacks."""

import numpy as np
import pytest
from _insides import image_branch, patch_regressor, set_convolution, table_of
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skstack import MultimodalNetworkClassifier, MultimodalStackingClassifier
from skstack.branches import NumericBranch
from skstack.inspection import one_pixel_attack

BRITTLE = (5, 2)


def brittle_network(images, brittle=True):
    """A network that looks at the brightness of a single pixel, which alone can turn its prediction."""
    branches = [("photo", image_branch(pooling="flatten"), ["photo"])]
    network = MultimodalNetworkClassifier(branches, head=(), random_state=0)
    network.initialize(table_of(images), ["dark", "light"] * (len(images) // 2))
    set_convolution(network.model_)
    weights = np.zeros((4, 4, 2), dtype="float32")
    weights[BRITTLE[0] // 2, BRITTLE[1] // 2, 0] = 10.0 if brittle else 0.0
    network.model_.get_layer("output").set_weights([weights.reshape(-1, 1), np.array([-2.0])])
    return network


@pytest.fixture(scope="module")
def dark():
    return np.random.default_rng(0).integers(0, 100, (2, 8, 8, 1), dtype="uint8")


def test_the_brittle_pixel_is_found(dark):
    network = brittle_network(dark)
    result = one_pixel_attack(network, table_of(dark), ["dark"] * 2, branch="photo", max_iter=40, random_state=0)
    assert result.correct.all()
    assert result.success.all()
    assert (result.scores > 0.5).all()
    assert (result.attacked_scores < 0.5).all()
    for before, after, pixels in zip(dark, result.images, result.pixels, strict=True):
        (changed,) = np.argwhere((before != after).any(axis=-1))
        assert changed.tolist() == pixels[0, :2].tolist()
        assert tuple(changed // 2) == (BRITTLE[0] // 2, BRITTLE[1] // 2)  # the cell that is pooled
    assert network.predict(table_of(result.images)).tolist() == ["light"] * 2


def test_where_no_pixel_counts_none_succeeds(dark):
    network = brittle_network(dark, brittle=False)
    result = one_pixel_attack(
        network, table_of(dark), branch="photo", population=10, max_iter=2, n_pixels=2, random_state=0
    )
    assert not result.success.any()
    assert result.pixels.shape == (2, 2, 3)
    assert (result.n_evaluations < 36).all()  # 3 generations of 12: it ends where all candidates are alike
    np.testing.assert_allclose(result.attacked_scores, result.scores)


def test_a_row_that_is_predicted_wrong_is_not_attacked(dark):
    result = one_pixel_attack(
        brittle_network(dark), table_of(dark), ["dark", "light"], branch="photo", max_iter=1, random_state=0
    )
    assert result.correct.tolist() == [True, False]
    assert result.n_evaluations[1] == 0
    np.testing.assert_array_equal(result.images[1], dark[1])
    with pytest.raises(ValueError, match="y holds the class 'grey'"):
        one_pixel_attack(brittle_network(dark), table_of(dark), ["dark", "grey"], branch="photo")


def test_paths_are_read_and_the_whole_stack_is_asked(dark, tmp_path):
    images = np.concatenate([dark, 255 - dark] * 3)
    for number, image in enumerate(images):
        Image.fromarray(image[..., 0]).save(tmp_path / f"{number}.png")
    X = table_of(images).assign(photo=[f"{number}.png" for number in range(len(images))])
    parts = [
        ("photo", image_branch(root=tmp_path, pooling="flatten"), ["photo"]),
        ("numbers", NumericBranch((2,), embedding=None), ["area"]),
        ("logistic", LogisticRegression(), ["area"]),
    ]
    template = MultimodalNetworkClassifier(epochs=1, early_stopping=False)
    stack = MultimodalStackingClassifier(parts, network=template, cv=2, random_state=0).fit(X, [0, 0, 1, 1] * 3)
    result = one_pixel_attack(stack, X.head(1), branch="photo", population=20, max_iter=2, random_state=0)
    np.testing.assert_allclose(result.scores, stack.predict_proba(X.head(1)).max(axis=1), rtol=1e-5)
    attacked = X.head(1).assign(photo=[*result.images])
    chosen = stack.predict_proba(X.head(1)).argmax(axis=1)[0]
    np.testing.assert_allclose(result.attacked_scores, stack.predict_proba(attacked)[:, chosen], rtol=1e-5)
    assert result.attacked_scores[0] < result.scores[0]


def test_a_regressor_is_moved_as_far_as_a_pixel_can(dark):
    network = patch_regressor()
    result = one_pixel_attack(network, table_of(dark), branch="photo", max_iter=15, random_state=0)
    # A cell of 16 can go from 0 to 1.
    moved = np.abs(result.attacked_scores - result.scores)
    assert result.success.all()
    assert (moved > 0.9 * 100 / 16).all() and (moved <= 100 / 16 + 1e-3).all()
    np.testing.assert_allclose(network.predict(table_of(result.images)), result.attacked_scores, rtol=1e-5)


@pytest.mark.parametrize(
    ("params", "message"),
    [({"n_pixels": 0}, "n_pixels == 0"), ({"population": 0}, "population == 0"), ({"branch": "foto"}, "Did you mean")],
)
def test_what_is_of_no_use_is_refused(dark, params, message):
    with pytest.raises(ValueError, match=message):
        one_pixel_attack(brittle_network(dark), table_of(dark), **{"branch": "photo", **params})


def test_a_pipeline_is_attacked_by_its_last_step(dark):
    network, how = brittle_network(dark), {"branch": "photo", "population": 20, "max_iter": 2, "random_state": 0}
    result = one_pixel_attack(make_pipeline("passthrough", network), table_of(dark), **how)
    np.testing.assert_array_equal(result.pixels, one_pixel_attack(network, table_of(dark), **how).pixels)


def test_a_row_without_an_image_is_not_attacked(dark):
    X, network = table_of(dark), brittle_network(dark)
    X.at[0, "photo"] = None
    result = one_pixel_attack(network, X, branch="photo", population=10, max_iter=1, random_state=0)
    assert result.correct.tolist() == [False, True]
    assert not result.success[0] and result.n_evaluations[0] == 0
    np.testing.assert_allclose(result.scores, network.predict_proba(X).max(axis=1), rtol=1e-6)
    assert result.attacked_scores[0] == result.scores[0]
    assert not result.images[0].any()


def test_columns_may_have_names_that_are_no_strings(dark):
    X = table_of(dark).set_axis([0, 1], axis=1)
    network = MultimodalNetworkClassifier([("photo", image_branch(), [0])], head=(), random_state=0)
    network.initialize(X, ["dark", "light"])
    result = one_pixel_attack(network, X, branch="photo", population=10, max_iter=1, random_state=0)
    assert result.correct.all()


@pytest.mark.parametrize("make", [brittle_network, lambda images: patch_regressor()])
def test_a_target_of_another_length_is_refused(dark, make):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        one_pixel_attack(make(dark), table_of(dark), ["dark"], branch="photo")
