"""Bad input gets an error that names the part concerned, before any training starts."""

import numpy as np
import pandas as pd
import pytest
from _data import mixed_frame
from PIL import Image
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import skstack.network._base
import skstack.network._cross_fit
import skstack.stacking._keeping
from skstack import (
    MultimodalNetworkClassifier,
    MultimodalNetworkRegressor,
    MultimodalStackingClassifier,
    MultimodalStackingRegressor,
)
from skstack._backend import keras
from skstack.branches import CategoricalBranch, ImageBranch, ModelBranch, NumericBranch, TextBranch
from skstack.preprocessing import TextEmbedder, tensor_column

NUMBERS = ("numbers", NumericBranch(hidden=(4,)), ["area", "rooms"])
PLACE = ("place", CategoricalBranch(), ["zip"])
LINEAR = ("linear", Ridge(), ["area"])


@pytest.fixture(autouse=True)
def no_training(monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("training began before the input was checked")

    # Networks, by themselves or of folds, and every base model of a stack.
    monkeypatch.setattr(skstack.network._staged, "fit", fail)
    monkeypatch.setattr(skstack.stacking._keeping, "cross_fit", fail)


@pytest.fixture
def data():
    return mixed_frame(30)


def network(*branches, **params):
    return MultimodalNetworkRegressor(list(branches), **params)


def stack(*estimators, **params):
    return MultimodalStackingRegressor(list(estimators), **{"cv": 2, **params})


def network_classifier(*branches, **params):
    return MultimodalNetworkClassifier(list(branches), **params)


def stack_classifier(*estimators, **params):
    return MultimodalStackingClassifier(list(estimators), **{"cv": 2, **params})


def settings(**params):
    """Return a network, and a stack whose network has the same parameters."""
    return [network(NUMBERS, **params), stack(NUMBERS, network=MultimodalNetworkRegressor(**params))]


def parts(part, columns):
    """Return a network and a stack of one part."""
    return [network(("part", part, columns)), stack(("part", part, columns))]


def rows_of(estimators, error, message):
    """Return a row of the table for each of several estimators."""
    return [(estimator, error, message) for estimator in estimators]


SCALED = make_pipeline(StandardScaler(), NumericBranch())
NOT_BY_ITSELF = r"NumericBranch.*a branch is no estimator and predicts nothing by itself"
FORGOTTEN = r"should be an instance, got the class {0}: did you forget the parentheses, {0}\(\)\?"
LEARNING_RATE = r"the learning rate of {} should be a finite number and not negative, got "


BAD_PARAMETERS = [
    # columns
    (network(("numbers", NumericBranch(), ["height"])), ValueError, r"branch 'numbers'.*'height'"),
    (stack(("linear", Ridge(), ["height"])), ValueError, r"learner 'linear'.*'height'"),
    (stack(PLACE, ("numbers", NumericBranch(), [17])), ValueError, r"branch 'numbers'.*features must be in"),
    (stack(NUMBERS, LINEAR, passthrough=["height"]), ValueError, r"'height'"),
    *rows_of(parts(NumericBranch(), ["arae"]), ValueError, r"branch 'part'.*'arae'.*Did you mean 'area'"),
    *rows_of(parts(NumericBranch(), "Area"), ValueError, r"branch 'part'.*'Area'.*Did you mean 'area'"),
    *rows_of(parts(NumericBranch(), slice("area", "room")), ValueError, r"'room'.*Did you mean 'rooms'"),
    (stack(LINEAR, passthrough="aera"), ValueError, r"'aera'.*Did you mean 'area'"),
    *rows_of(parts(NumericBranch(), [True, False]), ValueError, r"part'.*mask of columns has 2 entries, .* 4 columns"),
    *rows_of(parts(NumericBranch(), np.ones(9, bool)), ValueError, r"mask of columns has 9 entries, .* 4 columns"),
    (stack(LINEAR, passthrough=[True]), ValueError, r"mask of columns has 1 entries, but X has 4 columns"),
    # columns that the final estimator cannot read
    (stack(LINEAR, passthrough=["area", "zip"]), ValueError, r"final estimator RidgeCV: column 'zip'.*text.*row 0"),
    (stack(LINEAR, final_estimator=Ridge(), passthrough="zip"), ValueError, r"final estimator Ridge: column 'zip'"),
    (stack(LINEAR, passthrough=True), ValueError, r"final estimator RidgeCV: column 'zip'.*text.*row 0"),
    (stack(LINEAR, final_estimator=MultimodalNetworkRegressor(), passthrough="zip"), ValueError, r"column 'zip'"),
    # names
    (network(NUMBERS, NUMBERS), ValueError, r"unique.*'numbers'"),
    (stack(NUMBERS, ("numbers", Ridge())), ValueError, r"unique.*'numbers'"),
    (network(("num__bers", NumericBranch(), ["area"])), ValueError, r"should not.*'num__bers'"),
    (stack(("num/bers", NumericBranch(), ["area"])), ValueError, r"should not.*'num/bers'"),
    (network(("epochs", NumericBranch(), ["area"])), ValueError, r"conflict.*'epochs'"),
    (stack(("network", Ridge(), ["area"])), ValueError, r"conflict.*'network'"),
    (stack(("", Ridge(), ["area"])), ValueError, r"should not be empty"),
    # lists of parts
    (network(), ValueError, r"'branches' of MultimodalNetworkRegressor.*non-empty"),
    (stack(), ValueError, r"'estimators' of MultimodalStackingRegressor.*non-empty"),
    (MultimodalStackingRegressor(Ridge()), ValueError, r"'estimators'.*list of \(name, part, columns\)"),
    (stack(NumericBranch()), ValueError, r"item of 'estimators'"),
    (stack(("numbers", "drop")), ValueError, r"All estimators .* dropped"),
    *rows_of(parts(NumericBranch, ["area"]), TypeError, "part 'part' of .*" + FORGOTTEN.format("NumericBranch")),
    (stack(("linear", Ridge, ["area"])), TypeError, "part 'linear' of .*" + FORGOTTEN.format("Ridge")),
    *rows_of(
        parts(["area"], NumericBranch()), TypeError, r"'part' of .*columns.*'area'.*write \(name, part, columns\)"
    ),
    *rows_of(parts("area", Ridge()), TypeError, r"'part' of .*columns, 'area', in front"),
    *rows_of(parts("area", NumericBranch), TypeError, r"'part' of .*columns, 'area', in front"),
    *rows_of(parts(SCALED, ["area"]), TypeError, "'part'.*Pipeline with a " + NOT_BY_ITSELF),
    (stack(("mid", make_pipeline(NumericBranch(), Ridge()), ["area"])), TypeError, "learner 'mid'.*" + NOT_BY_ITSELF),
    (stack(LINEAR, final_estimator=NumericBranch()), TypeError, "'final_estimator' is a " + NOT_BY_ITSELF),
    (stack(LINEAR, final_estimator=SCALED), TypeError, "'final_estimator'.*" + NOT_BY_ITSELF),
    (network(("linear", Ridge(), ["area"])), TypeError, r"branch 'linear'.*skstack.branches"),
    (stack(("logistic", LogisticRegression(), ["area"]), LINEAR), ValueError, r"learner 'logistic'.*regressor"),
    # names of Keras parts and modes
    (network(("numbers", NumericBranch(activation="rellu"), ["area"])), ValueError, r"branch 'numbers'.*'rellu'"),
    (stack(("numbers", NumericBranch(activation="rellu"), ["area"])), ValueError, r"branch 'numbers'.*'rellu'"),
    (network(NUMBERS, activation="rellu"), ValueError, r"MultimodalNetworkRegressor.*'rellu'"),
    (network(NUMBERS, loss="msee"), ValueError, r"unknown loss 'msee'. Did you mean 'mse'"),
    (network(NUMBERS, optimizer="addam"), ValueError, r"unknown optimizer 'addam'. Did you mean 'adam'"),
    *rows_of(settings(metrics=["maee"]), ValueError, r"unknown metric 'maee'. Did you mean 'mae'"),
    *rows_of(settings(metrics="acuracy"), ValueError, r"unknown metric 'acuracy'. Did you mean 'accuracy'"),
    *rows_of(settings(metrics=[3]), TypeError, r"'metrics' should be.*got 3"),
    *rows_of(settings(optimizer=3), TypeError, r"'optimizer' should be.*got 3"),
    *rows_of(settings(loss=3), TypeError, r"'loss' should be.*got 3"),
    *rows_of(settings(loss="hinge"), ValueError, r"MultimodalNetworkRegressor: loss 'hinge' does not predict numbers"),
    *rows_of(settings(activation="Rellu"), ValueError, r"unknown activation 'Rellu'. Did you mean 'relu'"),
    *rows_of(parts(NumericBranch(activation="tanhh"), ["area"]), ValueError, r"'tanhh'. Did you mean 'tanh'"),
    *rows_of(parts(ImageBranch(backbone="Xceptoin"), ["photo"]), ValueError, r"'Xceptoin'. Did you mean 'Xception'"),
    # classes instead of instances
    (stack(LINEAR, final_estimator=Ridge), TypeError, "'final_estimator'.*" + FORGOTTEN.format("Ridge")),
    (stack(NUMBERS, network=MultimodalNetworkRegressor), TypeError, "'network'.*" + FORGOTTEN.format("Multi.*")),
    (stack(NUMBERS, cv=KFold), TypeError, "'cv'.*" + FORGOTTEN.format("KFold")),
    *rows_of(parts(TextBranch(embedder=TextEmbedder), "zip"), TypeError, "embedder.*" + FORGOTTEN.format("Text.*")),
    *rows_of(parts(ImageBranch(backbone=keras.Model), "photo"), TypeError, "backbone.*" + FORGOTTEN.format("Model")),
    (stack(NUMBERS, training="jointly"), ValueError, r"'training'.*'individual'.*'jointly'"),
    (stack(LINEAR, refit=False), ValueError, r"'refit'.*True.*'folds'.*Got False"),
    (stack(LINEAR, refit="fold"), ValueError, r"'refit'.*'folds'.*Got 'fold'"),
    (stack(LINEAR, guard="yes"), ValueError, r"'guard'.*Got 'yes'"),
    (stack(NUMBERS, network=MultimodalNetworkRegressor(loss="msee")), ValueError, r"unknown loss 'msee'"),
    # values
    (network(("numbers", NumericBranch(dropout=1.5), ["area"])), ValueError, r"branch 'numbers'.*'dropout'.*1.5"),
    (network(("numbers", NumericBranch(hidden=(0,)), ["area"])), ValueError, r"branch 'numbers'.*'hidden'.*\(0,\)"),
    *rows_of(parts(NumericBranch(hidden=True), ["area"]), ValueError, r"branch 'part'.*'hidden'.*got True"),
    *rows_of(parts(NumericBranch(hidden=(4, True)), ["area"]), ValueError, r"branch 'part'.*'hidden'.*\(4, True\)"),
    *rows_of(parts(ImageBranch(filters=(True,)), ["photo"]), ValueError, r"branch 'part'.*'filters'.*\(True,\)"),
    *rows_of(settings(head=True), ValueError, r"'head'.*got True"),
    *rows_of(settings(head=(True,)), ValueError, r"'head'.*\(True,\)"),
    *rows_of(settings(optimizer__learning_rate=-1.0), ValueError, LEARNING_RATE.format("AdamW") + "-1"),
    *rows_of(settings(optimizer__learning_rate=-1), ValueError, "learning_rate.*-1"),
    *rows_of(settings(optimizer__learning_rate=np.nan), ValueError, LEARNING_RATE.format("AdamW") + "nan"),
    *rows_of(settings(optimizer=keras.optimizers.Adam(-0.5)), ValueError, LEARNING_RATE.format("Adam") + "-0.5"),
    *rows_of(settings(optimizer=keras.optimizers.Adam(float("inf"))), ValueError, LEARNING_RATE.format("Adam") + "inf"),
    *rows_of(settings(validation_fraction=0.999), ValueError, r"validation_fraction=0.999 sets 30 of 30 rows aside"),
    *rows_of(settings(quantile=0.5), ValueError, r"'quantile' is for loss='quantile', but the loss is None"),
    *rows_of(settings(loss="quantile", quantile=[0.5, 0.1]), ValueError, r"several values of 'quantile' should be in"),
    (stack(NUMBERS, quantile=[0.1, 1.0]), ValueError, r"'quantile' should lie between 0 and 1, got \[0.1, 1.0\]"),
    (stack(NUMBERS, quantile=2.0), ValueError, r"'quantile' parameter of MultimodalStackingRegressor"),
    (stack(LINEAR, quantile=0.5, final_estimator=Ridge()), ValueError, r"parameter 'quantile', as Quantile"),
    (network(NUMBERS, epochs=0), ValueError, r"'epochs' parameter of MultimodalNetworkRegressor"),
    (network(NUMBERS, head=(-3,)), ValueError, r"'head'.*\(-3,\)"),
    (stack(NUMBERS, cv="prefit"), ValueError, r"branch 'numbers'.*prefit"),
    (stack(LINEAR, cv="prefit"), NotFittedError, r"learner 'linear', a Ridge, is not fitted, as cv='prefit' needs"),
    (stack(("100%", Ridge(), ["area"]), cv="prefit"), NotFittedError, r"learner '100%', a Ridge, is not fitted"),
    (stack(NUMBERS, final_estimator=LogisticRegression()), ValueError, r"'final_estimator'.*regressor"),
    (stack(NUMBERS, network=Ridge()), TypeError, r"'network'.*MultimodalNetworkRegressor.*Ridge"),
    (stack(NUMBERS, network=network(PLACE)), ValueError, r"'network' is a template"),
    # cells
    (network(("numbers", NumericBranch(), ["zip"])), ValueError, r"branch 'numbers'.*column 'zip'.*row 0"),
    (stack(("numbers", NumericBranch(), ["area", "zip"]), LINEAR), ValueError, r"branch 'numbers'.*'zip'.*row 0"),
    (network(("mine", ModelBranch(lambda shape: None), ["area"])), TypeError, r"branch 'mine'.*keras.Model"),
    (network(("photo", ImageBranch(), ["area", "zip"])), ValueError, r"branch 'photo'.*one column.*2 columns"),
]


@pytest.mark.parametrize(("estimator", "error", "message"), BAD_PARAMETERS)
def test_parameters_that_do_not_fit_the_data(data, estimator, error, message):
    with pytest.raises(error, match=message):
        estimator.fit(*data)


def test_misspelled_names_are_refused_where_they_are_given():
    with pytest.raises(ValueError, match=r"'epoch'.*Did you mean 'epochs'"):
        MultimodalNetworkRegressor(epoch=3)
    with pytest.raises(ValueError, match=r"'optimizer__learning_rat'.*'optimizer__learning_rate'"):
        MultimodalNetworkRegressor(optimizer__learning_rat=3)
    for estimator in (network(NUMBERS), stack(NUMBERS), network_classifier(NUMBERS), stack_classifier(NUMBERS)):
        with pytest.raises(ValueError, match=r"'hiden'.*NumericBranch.*Did you mean 'hidden'"):
            estimator.set_params(numbers__hiden=(3,))
    for estimator in (stack(NUMBERS), stack_classifier(NUMBERS)):
        with pytest.raises(ValueError, match=r"(?s)'trainin'.*Did you mean 'training'"):
            estimator.set_params(trainin="joint")
        with pytest.raises(ValueError, match=r"(?s)'number'.*Did you mean 'numbers'"):
            estimator.set_params(number__hidden=(3,))
    with pytest.raises(TypeError, match="hiden"):
        NumericBranch(hiden=(3,))
    with pytest.raises(ValueError, match=r"'network__epoch'|'epoch'"):
        stack(NUMBERS).set_params(network__epoch=3)


# ---------------------------------------------------------------- pictures


@pytest.fixture
def folder(tmp_path):
    for number in range(6):
        Image.new("RGB", (12, 12), (40 * number, 0, 0)).save(tmp_path / f"{number}.png")
    (tmp_path / "text.png").write_text("this is no picture")
    (tmp_path / "half.jpg").write_bytes(_half_a_jpeg())
    return tmp_path


def _half_a_jpeg():
    import io

    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype="uint8")
    Image.fromarray(noise).save(buffer, "JPEG")
    return buffer.getvalue()[: len(buffer.getvalue()) // 2]


@pytest.mark.parametrize("kind", [network, stack])
@pytest.mark.parametrize(
    ("cell", "error", "message"),
    [
        ("lost.png", FileNotFoundError, r"branch 'photo': row 3 \(index 'd'\).*lost\.png"),
        ("text.png", ValueError, r"branch 'photo': row 3 \(index 'd'\).*text\.png.*cannot be decoded"),
        ("half.jpg", ValueError, r"branch 'photo': row 3 \(index 'd'\).*half\.jpg.*cannot be decoded"),
        (12.5, TypeError, r"branch 'photo': row 3 \(index 'd'\).*expected an image.*12\.5"),
    ],
)
def test_picture_that_cannot_be_read(folder, kind, cell, error, message):
    X = pd.DataFrame({"photo": [f"{number}.png" for number in range(6)]}, index=list("abcdef"), dtype=object)
    X.loc["d", "photo"] = cell
    branch = ImageBranch(size=(8, 8), filters=(2,), root=folder)
    with pytest.raises(error, match=message):
        kind(("photo", branch, ["photo"])).fit(X, np.arange(6.0))


def test_tensors_of_the_wrong_shape():
    X = pd.DataFrame({"photo": tensor_column(np.zeros((6, 8, 8, 5), dtype="uint8"))})
    with pytest.raises(ValueError, match=r"branch 'photo'.*\(8, 8, 5\)"):
        network(("photo", ImageBranch(size=(8, 8), filters=(2,)), ["photo"])).fit(X, np.arange(6.0))


def test_dates_are_no_numbers(data):
    X, y = data
    days = pd.date_range("2020-01-01", periods=30)
    columns = {"time": days, "day": list(days.date), "since": days - days[0], "period": days.to_period("D")}
    for name, column in columns.items():
        for estimator in parts(NumericBranch(), [name]):
            with pytest.raises(TypeError, match=rf"branch 'part': column '{name}' holds dates.*a DateBranch"):
                estimator.fit(X.assign(**{name: pd.Series(column, dtype=object if name == "day" else None)}), y)


def test_numbers_beyond_float64(data):
    X, y = data
    X["area"] = X["area"].astype(object)
    X.loc[3, "area"] = 10**400
    for kind in (network, stack):
        with pytest.raises(
            ValueError, match=r"branch 'numbers': column 'area' holds 1000.*row 3: too large for float64"
        ):
            kind(NUMBERS).fit(X, y)


@pytest.mark.parametrize("kind", [network, stack])
def test_tables_that_are_not_there_yet_or_hide_cells(data, kind):
    import polars as pl

    X, y = data
    with pytest.raises(TypeError, match=r"X is a polars LazyFrame.*X\.collect\(\)"):
        kind(NUMBERS).fit(pl.from_pandas(X[["area", "rooms"]]).lazy(), y)
    masked = np.ma.array(X[["area", "rooms"]].to_numpy(), mask=np.arange(60).reshape(30, 2) == 7)
    with pytest.raises(ValueError, match=r"X is a masked array with a masked cell in row 3"):
        kind(("numbers", NumericBranch())).fit(masked, y)


# ---------------------------------------------------------------- targets


def _numbers(**cells):
    """Return a target of numbers with other cells in some rows, which are called after their positions."""
    y = pd.Series(np.linspace(1, 2, 30), index=[f"r{row}" for row in range(30)], dtype=object)
    y.loc[list(cells)] = list(cells.values())
    return y


def _classes(**cells):
    y = _numbers(**dict.fromkeys(map("r{}".format, range(30)), "lo"))
    y.iloc[::2] = "hi"
    y.loc[list(cells)] = list(cells.values())
    return y


DAYS = pd.date_range("2020-01-01", periods=30)

BAD_NUMBERS = [
    (np.where(np.arange(30) == 4, np.nan, 1.0), r"Input y contains NaN: nan in row 4\."),
    (np.where(np.arange(30) == 4, np.inf, 1.0), r"Input y contains infinity.*: inf in row 4\."),
    (np.where(np.arange(30) == 4, -1e39, 1.0), r"too large for float32: -1e\+39 in row 4\."),
    (_numbers(r4=np.nan, r7=np.nan).astype(float), r"NaN: nan in row 4 \(index 'r4'\), row 7 \(index 'r7'\)\."),
    (np.full(30, np.nan), r"NaN: nan in row 0, row 1, row 2, row 3, row 4 and 25 more\."),
    (pd.DataFrame({"a": np.ones(30), "b": [None] * 30}), r"Input y has no value in column 1 in any of the \d+ rows"),
    (pd.DataFrame({"a": _numbers(r2=None)}), r"Input y contains NaN: None in row 2 \(index 'r2'\)"),
    (_numbers(r3=None), r"Input y contains NaN: None in row 3 \(index 'r3'\)"),
    (_numbers(r3=pd.NA), r"Input y contains NaN: <NA> in row 3 \(index 'r3'\)"),
    (_numbers(r3=np.nan).astype("Float64"), r"Input y contains NaN: .* in row 3 \(index 'r3'\)"),
    (_numbers(r3=10**400), r"too large for float32: 1000.* in row 3 \(index 'r3'\)"),
    (_numbers(r3="1.5"), r"y holds text \('1.5' in row 3 \(index 'r3'\)\), but a regressor.*take a classifier"),
    (np.linspace(1, 2, 30).astype(str), r"y holds text \('1.0' in row 0\), but a regressor predicts numbers"),
    (_classes(), r"y holds text \('hi' in row 0 \(index 'r0'\)\).*take a classifier"),
    (_classes().astype("category"), r"y holds text \('hi' in row 0 \(index 'r0'\)\).*take a classifier"),
    (_numbers(r3={}), r"y holds no numbers \(\{\} in row 3"),
    (pd.Series(DAYS), r"y holds dates or times \(datetime64.*turn them into numbers first"),
    (pd.Series(DAYS - DAYS[0]), r"y holds dates or times \(timedelta64.*turn them into numbers first"),
    (DAYS.to_numpy(), r"y holds dates or times \(datetime64.*turn them into numbers first"),
    (pd.Series(DAYS.to_period("D")), r"y holds dates or times \(Period\('2020-01-01', 'D'\) in row 0"),
    (_numbers(r3=DAYS[0]), r"y holds dates or times \(Timestamp\('2020-01-01 00:00:00'\) in row 3"),
    (np.ma.array(np.ones(30), mask=np.arange(30) == 3), r"y is a masked array with a masked cell in row 3"),
]

MIXED = r"y holds classes of several types, "

BAD_CLASSES = [
    (_classes(r3=None), r"Input y contains NaN: None in row 3 \(index 'r3'\)"),
    (_classes(r3=np.nan), r"Input y contains NaN: nan in row 3 \(index 'r3'\)"),
    (_classes(r3=pd.NA), r"Input y contains NaN: <NA> in row 3 \(index 'r3'\)"),
    (_classes(r3=pd.NA).astype("string"), r"Input y contains NaN: <NA> in row 3 \(index 'r3'\)"),
    (_classes(r3=None).astype("category"), r"Input y contains NaN: .* in row 3 \(index 'r3'\)"),
    (np.where(np.arange(30) == 4, np.nan, np.arange(30) % 2), r"Input y contains NaN: nan in row 4\."),
    (["a", 1, None] * 10, r"Input y contains NaN: None in row 2, row 5, row 8, row 11, row 14 and 5 more\."),
    (["a", 1] * 15, MIXED + "'a' in row 0 and 1 in row 1, which"),
    (_classes(r3=1), MIXED + r"'hi' in row 0 \(index 'r0'\) and 1 in row 3 \(index 'r3'\), which"),
    (_classes(r3=True), MIXED + r"'hi' in row 0 \(index 'r0'\) and True in row 3 \(index 'r3'\), which"),
    (_classes(r3=DAYS[0]), MIXED + r"'hi' in row 0 .* and Timestamp\('2020-01-01 00:00:00'\) in row 3"),
    (np.array([2**70, 1] * 15, dtype=object), r"y holds numbers as Python's objects, such as 11805.*y\.astype\(str\)"),
    (np.ma.array(np.arange(30) % 2, mask=np.arange(30) == 3), r"y is a masked array with a masked cell in row 3"),
]


@pytest.mark.parametrize("kind", [network, stack])
@pytest.mark.parametrize(("y", "message"), BAD_NUMBERS)
def test_targets_of_a_regressor(data, kind, y, message):
    with pytest.raises(ValueError, match=message):
        kind(NUMBERS).fit(data[0], y)


@pytest.mark.parametrize("kind", [network_classifier, stack_classifier])
@pytest.mark.parametrize(("y", "message"), BAD_CLASSES)
def test_targets_of_a_classifier(data, kind, y, message):
    with pytest.raises(ValueError, match=message):
        kind(NUMBERS).fit(data[0], y)


@pytest.mark.parametrize("kind", [network, stack, network_classifier, stack_classifier])
def test_weights_that_are_no_weights(data, kind):
    X, y = data
    weight = pd.Series(1.0, index=[f"r{row}" for row in range(30)])
    weight["r4"] = -2
    y = y if kind in (network, stack) else y > np.median(y)
    with pytest.raises(ValueError, match=r"sample_weight should not be negative, got -2.0 in row 4 \(index 'r4'\)"):
        kind(NUMBERS).fit(X, y, sample_weight=weight)
    with pytest.raises(ValueError, match=r"sample_weight is a masked array with a masked cell in row 4"):
        kind(NUMBERS).fit(X, y, sample_weight=np.ma.array(np.ones(30), mask=weight < 0))


def test_groups_of_which_none_is_left_to_train_on(data):
    with pytest.raises(ValueError, match=r"validation_fraction=0.9 sets 3 of 3 groups aside.*early_stopping=False"):
        network(NUMBERS, validation_fraction=0.9).fit(*data, groups=np.arange(30) % 3)


@pytest.mark.parametrize(
    "estimator",
    [MultimodalNetworkClassifier([NUMBERS]), MultimodalStackingClassifier([NUMBERS], cv=2)],
    ids=["network", "stack"],
)
def test_one_class(data, estimator):
    with pytest.raises(ValueError, match=r"2 classes.*\['only'\]"):
        estimator.fit(data[0], np.full(30, "only"))


@pytest.mark.parametrize("kind", [network, stack])
def test_lengths_that_differ(data, kind):
    X, y = data
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        kind(NUMBERS).fit(X, y[:-1])
    with pytest.raises(ValueError, match=r"groups has 3 values, X has 30 rows"):
        kind(NUMBERS).fit(X, y, groups=[1, 2, 3])


def test_weights_for_a_learner_that_takes_none(data):
    from sklearn.neighbors import KNeighborsRegressor

    X, y = data
    with pytest.raises(TypeError, match=r"learner 'neighbours' does not support sample weights"):
        stack(NUMBERS, ("neighbours", KNeighborsRegressor(), ["area"])).fit(X, y, sample_weight=np.ones(30))


# ---------------------------------------------------------------- what is no error

ENCODING = make_pipeline(make_column_transformer((OneHotEncoder(), ["zip"]), remainder="passthrough"), Ridge())


@pytest.mark.parametrize("final", [ENCODING, HistGradientBoostingRegressor(categorical_features="from_dtype")])
def test_text_is_passed_on_to_an_estimator_that_may_read_it(data, monkeypatch, final):
    X, y = data
    monkeypatch.undo()
    X = X.assign(zip=X["zip"].astype("category"))
    fitted = stack(LINEAR, final_estimator=final, passthrough=["zip"]).fit(X, y)
    assert fitted.predict(X).shape == (30,)


# ---------------------------------------------------------------- predicting


@pytest.mark.parametrize("kind", [network, stack])
def test_unfitted(data, kind):
    with pytest.raises(NotFittedError):
        kind(NUMBERS).predict(data[0])


def test_other_columns_at_predict(data, monkeypatch):
    X, y = data
    monkeypatch.undo()
    fitted = stack(NUMBERS, LINEAR, network=MultimodalNetworkRegressor(epochs=1, early_stopping=False)).fit(X, y)
    for estimator in (fitted, fitted.estimators_[0]):
        with pytest.raises(ValueError, match=r"(?s)seen at fit time, yet now missing.*rooms"):
            estimator.predict(X.drop(columns="rooms"))
        with pytest.raises(ValueError, match=r"(?s)unseen at fit time.*storeys"):
            estimator.predict(X.assign(storeys=1))
        with pytest.raises(ValueError, match="same order"):
            estimator.predict(X[X.columns[::-1]])
    with pytest.raises(ValueError, match=r"branch 'numbers'.*column 'area'.*'many'.*row 2"):
        fitted.predict(X.assign(area=X["area"].astype(object).mask(np.arange(30) == 2, "many")))
