"""The drawing of a network."""

import pytest
from _inspected import fitted_network, fitted_regressor, table
from matplotlib import pyplot as plt
from sklearn.linear_model import Ridge

from skstack import MultimodalStackingRegressor
from skstack.inspection import NetworkDisplay


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def test_boxes_show_branches_fusion_head_and_output_with_shapes_and_trained_weights():
    display = NetworkDisplay.from_estimator(fitted_network())
    said = {name: text.get_text() for name, text in display.text_.items()}
    assert list(said) == [
        "columns of numbers", "numbers", "columns of place", "place", "fusion", "head_1", "output",
    ]  # fmt: skip
    assert said["columns of numbers"] == "area\nrooms"
    # 2 numbers and 2 flags of missing ones to 4 units
    assert "NumericBranch\n2 → 4\n20 trained" in said["numbers"]
    assert "concatenate\n→ 6" in said["fusion"]
    assert "Dense, relu" in said["head_1"]
    assert "\n→ 4\n28 trained" in said["head_1"]
    assert "\n→ 1\n5 trained, 2 not" in said["output"]


def test_trained_weights_are_those_of_the_summary():
    network = fitted_network()
    lines = []
    network.model_.summary(print_fn=lines.append)
    n_trained = sum(variable.numpy().size for variable in network.model_.trainable_variables)
    assert f"Trainable params: {n_trained}" in "\n".join(lines)
    assert f"{n_trained} trained weights" in NetworkDisplay.from_estimator(network).ax_.get_title(loc="left")


def test_no_box_covers_another_and_arrows_go_to_the_right():
    display = NetworkDisplay.from_estimator(fitted_network())
    boxes = [patch.get_path().get_extents(patch.get_patch_transform()) for patch in display.ax_.patches]
    boxes = [box for box in boxes if box.width > 0.1]
    assert len(boxes) == 7
    for number, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:number])


def test_a_network_of_a_stack_by_name():
    display = NetworkDisplay.from_estimator(fitted_regressor(), name="network")
    assert "place" in display.text_
    with pytest.raises(ValueError, match="Did you mean 'network'"):
        NetworkDisplay.from_estimator(fitted_regressor(), name="netwrk")


def test_several_members_are_drawn_once():
    display = NetworkDisplay.from_estimator(fitted_network(n_members=2))
    assert "in each of 2 members" in display.ax_.get_title(loc="left")
    assert list(display.text_)[-1] == "output"


def test_what_has_no_network_is_refused():
    X, y = table()
    with pytest.raises(TypeError, match="expected a fitted network or stack, got Ridge"):
        NetworkDisplay.from_estimator(Ridge().fit(X[["area"]], y))
    stack = MultimodalStackingRegressor([("ridge", Ridge(), ["area"])], cv=2).fit(X, y)
    with pytest.raises(ValueError, match=r"none of the base models \['ridge'\] is a network"):
        NetworkDisplay.from_estimator(stack)


def test_given_axes_are_drawn_into():
    _, ax = plt.subplots()
    assert NetworkDisplay.from_estimator(fitted_network(), ax=ax).ax_ is ax


def test_keras_draws_every_layer_of_the_model(tmp_path):
    pydot = pytest.importorskip("pydot", reason="keras.utils.plot_model needs pydot")
    try:
        pydot.Dot.create(pydot.Dot())
    except (OSError, AssertionError):
        pytest.skip("keras.utils.plot_model needs the programs of graphviz, which are not installed")
    import keras

    path = tmp_path / "model.png"
    keras.utils.plot_model(fitted_network().model_, to_file=path)
    assert path.read_bytes().startswith(b"\x89PNG")
