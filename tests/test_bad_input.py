"""Bad input gets an error that names the part concerned, before any training starts."""

import numpy as np
import pandas as pd
import pytest
from _data import mixed_frame
from PIL import Image
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge

import skstack.training._fit as fit_module
from skstack import (
    MultimodalNetworkClassifier,
    MultimodalNetworkRegressor,
    MultimodalStackingClassifier,
    MultimodalStackingRegressor,
)
from skstack.branches import CategoricalBranch, ImageBranch, ModelBranch, NumericBranch
from skstack.preprocessing import tensor_column

NUMBERS = ("numbers", NumericBranch(hidden=(4,)), ["area", "rooms"])
PLACE = ("place", CategoricalBranch(), ["zip"])
LINEAR = ("linear", Ridge(), ["area"])


@pytest.fixture(autouse=True)
def no_training(monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("training began before the input was checked")

    monkeypatch.setattr(fit_module.keras.Model, "fit", fail)


@pytest.fixture
def data():
    return mixed_frame(30)


def network(*branches, **params):
    return MultimodalNetworkRegressor(list(branches), **params)


def stack(*estimators, **params):
    return MultimodalStackingRegressor(list(estimators), **{"cv": 2, **params})


BAD_PARAMETERS = [
    # columns
    (network(("numbers", NumericBranch(), ["height"])), ValueError, r"branch 'numbers'.*'height'"),
    (stack(("linear", Ridge(), ["height"])), ValueError, r"learner 'linear'.*'height'"),
    (stack(PLACE, ("numbers", NumericBranch(), [17])), ValueError, r"branch 'numbers'.*features must be in"),
    (stack(NUMBERS, LINEAR, passthrough=["height"]), ValueError, r"'height'"),
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
    (stack(("numbers", NumericBranch, ["area"])), TypeError, r"'numbers' should be a branch"),
    (network(("linear", Ridge(), ["area"])), TypeError, r"branch 'linear'.*skstack.branches"),
    (stack(("logistic", LogisticRegression(), ["area"]), LINEAR), ValueError, r"learner 'logistic'.*regressor"),
    # names of Keras parts and modes
    (network(("numbers", NumericBranch(activation="rellu"), ["area"])), ValueError, r"branch 'numbers'.*'rellu'"),
    (stack(("numbers", NumericBranch(activation="rellu"), ["area"])), ValueError, r"branch 'numbers'.*'rellu'"),
    (network(NUMBERS, activation="rellu"), ValueError, r"MultimodalNetworkRegressor.*'rellu'"),
    (network(NUMBERS, loss="msee"), ValueError, r"unknown loss 'msee'. Did you mean 'mse'"),
    (network(NUMBERS, optimizer="addam"), ValueError, r"unknown optimizer 'addam'. Did you mean 'adam'"),
    (network(NUMBERS, metrics=["maee"]), ValueError, r"maee"),
    (stack(NUMBERS, training="jointly"), ValueError, r"'training'.*'individual'.*'jointly'"),
    (stack(NUMBERS, network=MultimodalNetworkRegressor(loss="msee")), ValueError, r"unknown loss 'msee'"),
    # values
    (network(("numbers", NumericBranch(dropout=1.5), ["area"])), ValueError, r"branch 'numbers'.*'dropout'.*1.5"),
    (network(("numbers", NumericBranch(hidden=(0,)), ["area"])), ValueError, r"branch 'numbers'.*'hidden'.*\(0,\)"),
    (network(NUMBERS, epochs=0), ValueError, r"'epochs' parameter of MultimodalNetworkRegressor"),
    (network(NUMBERS, head=(-3,)), ValueError, r"'head'.*\(-3,\)"),
    (stack(NUMBERS, cv="prefit"), ValueError, r"branch 'numbers'.*prefit"),
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
    with pytest.raises(ValueError, match=r"'hiden'.*NumericBranch"):
        network(NUMBERS).set_params(numbers__hiden=(3,))
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


# ---------------------------------------------------------------- targets


@pytest.mark.parametrize("kind", [network, stack])
@pytest.mark.parametrize(("value", "message"), [(np.nan, "y contains NaN"), (np.inf, "y contains infinity")])
def test_target_with_gaps(data, kind, value, message):
    X, y = data
    y[4] = value
    with pytest.raises(ValueError, match=message):
        kind(NUMBERS).fit(X, y)


@pytest.mark.parametrize(
    "estimator",
    [MultimodalNetworkClassifier([NUMBERS]), MultimodalStackingClassifier([NUMBERS], cv=2)],
    ids=["network", "stack"],
)
def test_one_class(data, estimator):
    with pytest.raises(ValueError, match=r"2 classes.*\['only'\]"):
        estimator.fit(data[0], np.full(30, "only"))


def test_fewer_members_of_a_class_than_folds(data):
    y = np.array(["rare"] * 3 + ["usual"] * 27)
    with pytest.raises(ValueError, match=r"class 'rare' has 3 members, fewer than the 5 folds"):
        MultimodalStackingClassifier([NUMBERS]).fit(data[0], y)


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
