"""Trainings that end in NaN or infinity say so, on every way of training."""

import warnings

import numpy as np
import pytest
from _problems import BatchHook, job_of, make_data, settings_of, train
from _small import make_labels, make_table, network_classifier, network_regressor, stack_regressor
from sklearn.exceptions import ConvergenceWarning

from skstack._backend import keras

#: What makes the compiled loops, several networks at once, and Keras ``fit`` train.
WAYS = {"alone": {}, "together": {"vectorized": True}, "Keras fit": {"callbacks": [BatchHook()]}}


class Breaks(keras.callbacks.Callback):
    """Spoils a weight at the beginning of an epoch."""

    def __init__(self, epoch, value=np.nan):
        super().__init__()
        self.epoch, self.value = epoch, value

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            bias = self.model.get_layer("last").bias
            bias.assign(bias + self.value)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n_validation", [0, 20])
def test_a_loss_that_becomes_nan_is_an_error(way, n_validation):
    jobs = [job_of(make_data(), n_validation=n_validation) for _ in range(2)]
    message = r"^the loss of small became NaN in epoch \d of 9: a smaller learning rate"
    with pytest.raises(ValueError, match=message):
        train(jobs, settings_of("SGD", learning_rate=1e30), epochs=9, patience=9, **WAYS[way])


@pytest.mark.parametrize("way", WAYS)
def test_the_fold_is_named(way):
    jobs = [job_of(make_data()) for _ in range(2)]
    jobs[1].name = "fold 1"
    jobs[1].data = {**jobs[1].data, "weights": {"output": np.full(70, 1e38, dtype="float32")}}
    jobs[0].data = {**jobs[0].data, "weights": {"output": np.ones(70, dtype="float32")}}
    with pytest.raises(ValueError, match=r"^the loss of small, fold 1, became (NaN|infinite) in epoch 1 of 4"):
        train(jobs, settings_of("SGD"), **WAYS[way])


@pytest.mark.parametrize("way", WAYS)
def test_the_last_step_alone_can_go_astray(way):
    jobs = [job_of(make_data()) for _ in range(2)]
    with pytest.raises(ValueError, match=r"^the weights of small became .* in epoch 1 of 1"):
        train(jobs, settings_of(learning_rate=1e30), epochs=1, batch_size=70, **WAYS[way])


@pytest.mark.parametrize("hooks", [[], [BatchHook()]], ids=["loops", "Keras fit"])
def test_the_best_weights_before_it_come_back_with_a_warning(hooks):
    (expected,) = train([job_of(make_data(), n_validation=20)], settings_of(), epochs=2, patience=9)
    with pytest.warns(
        ConvergenceWarning, match=r"the loss of small became NaN in epoch 3 of 9: the weights of epoch 2"
    ):
        (trained,) = train(
            [job_of(make_data(), n_validation=20)],
            settings_of(),
            epochs=9,
            patience=9,
            callbacks=[Breaks(2), *hooks],
        )
    assert len(trained.history["loss"]) == 3
    for one, other in zip(trained.values.values(), expected.values.values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("hooks", [[], [BatchHook()]], ids=["loops", "Keras fit"])
def test_a_validation_loss_that_begins_infinite_is_not_the_best(hooks):
    class Calms(Breaks):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 0:
                bias = self.model.get_layer("last").bias
                bias.assign(bias - self.value)

    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        (trained,) = train(
            [job_of(make_data(), n_validation=20)],
            settings_of("SGD", learning_rate=0.0),
            epochs=3,
            patience=9,
            callbacks=[Calms(0, 1e25), *hooks],
        )
    assert trained.history["val_loss"][0] == np.inf
    assert np.abs(trained.values["last/bias"]).max() < 1


def _fit_network(**params):
    X, y = make_table()
    return network_regressor(**params).fit(X, y)


def _fit_classifier(**params):
    X, y = make_table()
    return network_classifier(**params).fit(X, make_labels(y))


def _fit_heavy(**params):
    X, y = make_table()
    return network_regressor(**{**params, "optimizer": "sgd"}).fit(X, y, sample_weight=np.full(len(y), 1e38))


def _partial_fit(**params):
    X, y = make_table()
    return network_regressor(**params).partial_fit(X, y)


def _fit_stack(**params):
    X, y = make_table()
    params = {f"network__{name}": value for name, value in params.items()}
    return stack_regressor(training="joint").set_params(**params).fit(X, y)


@pytest.mark.parametrize("fit", [_fit_network, _fit_classifier, _fit_heavy, _partial_fit, _fit_stack])
@pytest.mark.parametrize("callbacks", [None, [BatchHook()]], ids=["loops", "Keras fit"])
def test_an_estimator_whose_training_diverges_says_so(fit, callbacks):
    message = (
        r"the (loss|weights) of MultimodalNetwork\w+ became (NaN|infinite|too large to compute with) in epoch 1 of"
    )
    with pytest.raises(ValueError, match=message):
        fit(optimizer__learning_rate=1e30, callbacks=callbacks)


def test_a_network_never_predicts_nan_silently():
    X, y = make_table()
    network = network_regressor().fit(X, y)
    # Not in front of a relu, which some processors make 0 of NaN in.
    bias = network.model_.get_layer("output_standardized").bias
    bias.assign(bias + np.nan)
    with pytest.raises(
        ValueError, match=r"MultimodalNetworkRegressor predicts NaN or infinity for row 0 \(index 100\)"
    ):
        network.predict(X)
