"""Branches of sequences."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skstack import MultimodalNetworkRegressor, MultimodalStackingRegressor
from skstack._backend import keras
from skstack._columns import branch_columns
from skstack.branches import SequenceBranch, _sequence
from skstack.preprocessing import tensor_column
from skstack.training._seeds import seeded

NAN = np.nan


def _frame(*cells, name="signal"):
    return pd.DataFrame({name: pd.Series(list(cells), dtype=object)})


def _ragged(lengths=(5, 12, 3, 9), channels=2, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=(length, channels)) for length in lengths]


def _features(branch, X, like=None):
    """Return features by a new network, or by one with the weights of another."""
    with seeded(0):
        model = branch.build("part")
    if like is not None:
        model.set_weights(like.get_weights())
    return keras.ops.convert_to_numpy(model(branch.encode(X))), model


# --- cells ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrap",
    [
        lambda cells: _frame(*cells),
        lambda cells: _frame(*[cell.tolist() for cell in cells]),
        lambda cells: _frame(*cells).to_numpy(),
        lambda cells: pd.DataFrame({"signal": pl.Series([cell.tolist() for cell in cells]).to_arrow().to_pylist()}),
        lambda cells: pd.DataFrame({"signal": pd.Series([cell.tolist() for cell in cells], dtype=_arrow_lists())}),
        lambda cells: branch_columns(pl.DataFrame({"signal": [cell.tolist() for cell in cells]}), [0]),
    ],
    ids=["arrays", "lists", "object array", "nested lists", "Arrow lists", "polars lists"],
)
def test_sequences_are_read_from_every_container(wrap):
    cells = _ragged()
    branch = SequenceBranch("cnn").fit(wrap(cells))
    encoded = branch.encode(wrap(cells))
    assert encoded.shape == (4, 16, 2)
    assert encoded.dtype == "float32"
    for row, cell in zip(encoded, cells, strict=True):
        np.testing.assert_array_equal(row[: len(cell)], cell.astype("float32"))
        assert np.isnan(row[len(cell) :]).all()


def _arrow_lists():
    return pd.ArrowDtype(pa.list_(pa.list_(pa.float64())))


@pytest.mark.parametrize(
    "wrap", [np.asarray, lambda array: pd.DataFrame({"signal": tensor_column(array)}), lambda array: _frame(*array)]
)
@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 3)])
def test_sequences_of_one_length_stay_as_long(wrap, shape):
    array = np.random.default_rng(0).normal(size=shape)
    encoded = SequenceBranch().fit(wrap(array)).encode(wrap(array))
    assert encoded.shape == (4, 6, shape[2] if len(shape) == 3 else 1)
    np.testing.assert_array_equal(encoded.reshape(shape), array.astype("float32"))


def test_what_is_fitted_on_tensors_reads_arrays():
    array = np.random.default_rng(0).normal(size=(4, 6, 3))
    branch = SequenceBranch().fit(pd.DataFrame({"signal": tensor_column(array)}))
    np.testing.assert_array_equal(branch.encode(_frame(*array)), array.astype("float32"))


def test_columns_of_numbers_are_steps_of_a_window():
    X = pd.DataFrame({"8 am": [1, 2], "9 am": [3.0, None], "10 am": [5, 6]}, dtype=object)
    encoded = SequenceBranch().fit(X).encode(X)
    np.testing.assert_array_equal(encoded[..., 0], [[1, 3, 5], [2, NAN, 6]])


def test_columns_of_sequences_are_channels_side_by_side():
    X = _frame([1.0, 2.0, 3.0], [4.0, 5.0], name="x").assign(y=[np.array([[10.0, 11.0]]), None])
    encoded = SequenceBranch().fit(X).encode(X)
    expected = [[[1, 10, 11], [2, NAN, NAN], [3, NAN, NAN]], [[4, NAN, NAN], [5, NAN, NAN], [NAN, NAN, NAN]]]
    np.testing.assert_array_equal(encoded[:, :3], expected)
    tensors = pd.DataFrame({"x": tensor_column(np.ones((2, 3))), "y": tensor_column(np.zeros((2, 3, 2)))})
    np.testing.assert_array_equal(SequenceBranch().fit(tensors).encode(tensors), [[[1, 0, 0]] * 3] * 2)


def test_the_last_steps_of_long_sequences_are_kept():
    long, padded = np.arange(20.0), np.r_[np.arange(5.0), np.full(15, NAN)]
    branch = SequenceBranch(max_length=3).fit(_frame(long, long[:2]))
    assert branch.cell_shape_ == (3, 1)
    for X in (_frame(long, padded), np.stack([long, padded])[..., np.newaxis]):
        np.testing.assert_array_equal(branch.encode(X)[..., 0], [[17, 18, 19], [2, 3, 4]])
    # Statistics are those of the steps that count.
    np.testing.assert_allclose(branch.center_, np.mean([17, 18, 19, 0, 1]))


@pytest.mark.parametrize(("lengths", "steps"), [((5, 9), 16), ((3, 8), 8), ((5, 5), 5), ((17, 17), 17)])
def test_different_lengths_are_rounded_up(lengths, steps):
    assert SequenceBranch().fit(_frame(*_ragged(lengths))).cell_shape_ == (steps, 2)


def test_large_numbers_that_differ_little_keep_their_digits():
    seconds = 1.7e9 + np.arange(6.0).reshape(2, 3)
    branch = SequenceBranch("dense", 2, activation="tanh").fit(seconds)
    assert branch.input_dtype_ == "float64"
    np.testing.assert_array_equal(branch.encode(seconds)[..., 0], seconds)
    features, _ = _features(branch, seconds)
    assert np.ptp(features, axis=0).max() > 0.1


BAD = {
    "number": (_frame([1.0], 3.5), TypeError, "column 'signal' holds 3.5 in row 1, where a sequence was expected"),
    "text": (_frame([1.0], "loud"), TypeError, "column 'signal' holds 'loud' in row 1"),
    "words": (_frame([1.0], ["a"]), ValueError, "column 'signal' holds no sequence of numbers in row 1"),
    "uneven": (_frame([1.0], [[1.0, 2.0], [3.0]]), ValueError, "column 'signal' holds no sequence of numbers in row 1"),
    "channels": (_frame(*_ragged((3, 4)), np.ones((3, 3))), ValueError, "holds 3 channels in row 2, in training 2"),
    "images": (_frame(np.ones((2, 2, 2))), ValueError, r"\(time, channels\), got \(2, 2, 2\) in row 0"),
    "infinity": (_frame([1.0], [np.inf]), ValueError, "infinity: column 'signal' in row 1"),
    "infinity, array": (np.array([[[1.0]], [[np.inf]]]), ValueError, "infinity or a value too large in row 1"),
    "too large": (_frame([1.0], [1e39]), ValueError, "too large for float32 in row 1"),
    "words in a table": (pd.DataFrame({"a": [1.0], "b": ["x"]}), ValueError, "column 'b' holds the text 'x' in row 0"),
    "array of images": (np.ones((2, 3, 4, 5)), ValueError, r"got cells of shape \(3, 4, 5\)"),
    "truth": (np.ones((2, 3, 4), dtype="complex"), TypeError, "expected sequences of numbers, got dtype complex"),
}


@pytest.mark.parametrize(("X", "error", "message"), BAD.values(), ids=list(BAD))
def test_bad_cells_are_named(X, error, message):
    with pytest.raises(error, match=message):
        SequenceBranch().fit(X).encode(X)


def test_other_channels_or_columns_than_in_training_are_refused():
    branch = SequenceBranch().fit(np.ones((2, 3, 2)))
    with pytest.raises(ValueError, match="expected 2 channels as in training, got 4"):
        branch.encode(np.ones((2, 3, 4)))
    with pytest.raises(ValueError, match="expected 1 columns of sequences as in training, got 2"):
        branch.encode(_frame([1.0]).assign(other=[[2.0]]))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"encoder": "transformer"}, "'encoder' parameter"),
        ({"units": ()}, "'units' should name at least one layer"),
        ({"units": (3, 0)}, "'units' should be a tuple of positive integers"),
        ({"kernel_size": 0}, "'kernel_size' parameter"),
        ({"pooling": "mean"}, "'pooling' parameter"),
        ({"max_length": 0}, "'max_length' parameter"),
        ({"scale": "minmax"}, "'scale' parameter"),
        ({"bidirectional": 2}, "'bidirectional' parameter"),
    ],
)
def test_settings_that_make_no_network_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        SequenceBranch(**parameters).fit(np.ones((2, 3)))


# --- scaling and gaps -------------------------------------------------------------------------------------------------


def _scaled(branch, X):
    model = branch.build("part")
    inner = keras.Model(model.input, model.get_layer("standardize").output)
    return keras.ops.convert_to_numpy(inner(branch.encode(X)))


def test_channels_are_scaled_by_the_steps_of_all_training_rows():
    cells = [np.array([[0.0, 5.0], [2.0, 5.0]]), np.array([[4.0, 5.0]])]
    branch = SequenceBranch("cnn").fit(_frame(*cells))
    np.testing.assert_allclose(branch.center_, [2, 5])
    np.testing.assert_allclose(branch.scale_, [np.std([0, 2, 4]), 1])
    scaled = _scaled(branch, _frame(*cells))
    np.testing.assert_allclose(scaled[0, :2, :2], [[-2 / branch.scale_[0], 0], [0, 0]], atol=1e-6)
    unscaled = SequenceBranch("cnn", scale=None).fit(_frame(*cells))
    assert _scaled(unscaled, _frame(*cells))[1, 0, 0] == 4


def test_gaps_are_filled_and_flagged_where_training_had_some():
    X = np.array([[[1.0, 1.0], [NAN, 2.0], [5.0, 3.0]], [[3.0, 1.0], [3.0, 2.0], [NAN, NAN]]])
    branch = SequenceBranch("cnn").fit(X)
    np.testing.assert_array_equal(branch.seen_missing_, [1, 0])  # the last step of the second row is none
    np.testing.assert_allclose(_scaled(branch, X)[0, 1], [0, 0.2 / branch.scale_[1], 1, 0], atol=1e-6)
    np.testing.assert_array_equal(SequenceBranch("dense").fit(X).seen_missing_, [1, 1])


def test_a_gap_that_training_never_had_counts_as_the_mean():
    X = np.random.default_rng(0).normal(size=(6, 4, 1))
    branch = SequenceBranch("gru", 3).fit(X)
    mean, gap = X[:1].copy(), X[:1].copy()
    mean[0, 1], gap[0, 1] = branch.center_, NAN
    features, model = _features(branch, mean)
    np.testing.assert_allclose(_features(branch, gap, model)[0], features, atol=1e-6)


# --- features ---------------------------------------------------------------------------------------------------------

ENCODERS = {
    "gru": {"encoder": "gru"},
    "lstm, both ways, two layers": {"encoder": "lstm", "bidirectional": True, "units": (3, 2)},
    "rnn, max": {"encoder": "rnn", "pooling": "max"},
    "gru, both ways, avg": {"encoder": "gru", "bidirectional": True, "pooling": "avg"},
    "cnn": {"encoder": "cnn", "units": (3, 3), "activation": "sigmoid"},
    "cnn, halved, normalised": {"encoder": "cnn", "units": (3, 3, 2), "halve": True, "batch_norm": True},
    "cnn, max": {"encoder": "cnn", "pooling": "max", "activation": "tanh", "halve": True, "units": (3, 3)},
    "cnn, last, even kernel": {"encoder": "cnn", "pooling": "last", "kernel_size": 4, "activation": "sigmoid"},
}


@pytest.mark.parametrize("parameters", ENCODERS.values(), ids=list(ENCODERS))
def test_padding_changes_no_feature(parameters):
    cells = _ragged((5, 12, 3, 9))
    X = _frame(*cells)
    short, long = (SequenceBranch(**{"units": 3, **parameters, "max_length": n}).fit(X) for n in (12, 21))
    features, model = _features(short, X)
    assert np.ptp(features, axis=0).min() > 1e-4
    np.testing.assert_allclose(_features(long, X, model)[0], features, atol=1e-5)
    # A row alone, without any padding.
    alone = SequenceBranch(**{"units": 3, **parameters}).fit(X)
    alone.cell_shape_ = alone.input_shape_ = (5, 2)
    np.testing.assert_allclose(_features(alone, X.iloc[[0]], model)[0], features[:1], atol=1e-5)


@pytest.mark.parametrize("encoder", ["gru", "lstm", "rnn"])
def test_laid_out_steps_give_what_a_loop_gives(encoder, monkeypatch):
    X = _frame(*_ragged((3, 6, 1)))
    branch = SequenceBranch(encoder, 3).fit(X)
    assert branch.build("part").get_layer(f"{encoder}_1").unroll
    features, model = _features(branch, X)
    monkeypatch.setattr(_sequence, "_MAX_UNROLLED", 0)
    looped, other = _features(branch, X, model)
    assert not other.get_layer(f"{encoder}_1").unroll
    np.testing.assert_allclose(looped, features, atol=1e-6)


def test_normalisation_over_the_batch_leaves_padding_out():
    X = _frame(*_ragged((5, 12, 3, 9)))
    changed = []
    for length in (12, 24):
        branch = SequenceBranch("cnn", 3, batch_norm=True, max_length=length).fit(X)
        model = branch.build("part")
        model.set_weights([np.full(weight.shape, 0.5) for weight in model.get_weights()])
        branch.assign_statistics(model)
        model(branch.encode(X), training=True)
        changed.append(np.asarray(model.get_layer("conv_1_norm").moving_mean))
    assert not np.allclose(changed[0], 0.5)
    np.testing.assert_allclose(*changed, rtol=1e-5)


@pytest.mark.parametrize(
    ("parameters", "length"),
    [
        ({"encoder": "gru", "units": (4, 3)}, 3),
        ({"encoder": "lstm", "units": 3, "bidirectional": True}, 6),
        ({"encoder": "rnn", "units": 3, "pooling": "flatten"}, 18),
        ({"encoder": "cnn", "units": (4, 3), "pooling": "flatten"}, 18),
        ({"encoder": "cnn", "units": (4, 4, 3), "pooling": "flatten", "halve": True}, 6),
        ({"encoder": "dense", "units": (5, 2)}, 2),
        ({"encoder": "dense", "units": 5, "hidden": (4,), "dropout": 0.1}, 4),
    ],
)
def test_lengths_of_feature_vectors(parameters, length):
    model = SequenceBranch(**parameters).fit(np.random.default_rng(0).normal(size=(4, 6, 2))).build("part")
    assert model.output_shape == (None, length)


def test_dense_layers_see_where_a_sequence_ends():
    X = _frame(np.zeros(4), np.zeros(2))
    features, _ = _features(SequenceBranch("dense", 3, activation="tanh").fit(X), X)
    assert not np.allclose(features[0], features[1])


# --- in networks ------------------------------------------------------------------------------------------------------


def test_a_network_learns_what_stands_at_the_end():
    generator = np.random.default_rng(0)
    cells = [generator.normal(size=generator.integers(1, 5)) for _ in range(200)]
    y = np.array([cell[-1] for cell in cells])
    network = MultimodalNetworkRegressor(
        [("signal", SequenceBranch("gru", 8, max_length=4))],
        head=(),
        epochs=25,
        optimizer__learning_rate=0.02,
        early_stopping=False,
        random_state=0,
    )
    network.fit(_frame(*cells), y)
    assert network.score(_frame(*cells), y) > 0.9
    assert np.isfinite(network.predict(_frame(None, [1.0] * 30, [NAN, 1.0]))).all()


def test_folds_of_different_lengths_share_a_program_and_train_together():
    cells = _ragged(np.random.default_rng(1).integers(1, 4, size=24), channels=1)
    y = np.array([cell.sum() for cell in cells])
    predicted = []
    for fold_training in ("sequential", "vectorized"):
        template = MultimodalNetworkRegressor(
            head=(), epochs=2, batch_size=4, early_stopping=False, fold_training=fold_training
        )
        stack = MultimodalStackingRegressor(
            [("signal", SequenceBranch("rnn", 2), ["signal"])], network=template, cv=2, random_state=0
        )
        predicted.append(stack.fit(_frame(*cells), y).transform(_frame(*cells)))
    np.testing.assert_allclose(*predicted, rtol=1e-4)


def test_branches_of_other_lengths_do_not_share():
    one, same, other = (SequenceBranch().fit(_frame(*_ragged(lengths))) for lengths in ((5, 7), (4, 8), (5, 9)))
    assert one.is_encoded_like(same)
    assert one.is_built_like(same)
    assert not one.is_encoded_like(other)
    assert not one.is_built_like(other)
