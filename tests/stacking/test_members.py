"""The base models of a stack: networks made of branches, learners, and fitted ones."""

import numpy as np
import pytest
from _small import (
    Recorder,
    branches,
    make_labels,
    make_table,
    network_classifier,
    network_regressor,
    stack_classifier,
    stack_regressor,
)
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skstack import MultimodalNetworkRegressor, MultimodalStackingClassifier, MultimodalStackingRegressor, Stage
from skstack.branches import NumericBranch

NUMBERS = ["area", "rooms"]


@pytest.fixture(scope="module")
def table():
    return make_table()


def test_joint_training_makes_one_base_model_of_the_branches(table):
    X, y = table
    stack = stack_regressor().fit(X, y)
    assert list(stack.named_estimators_) == ["network", "ridge"]
    assert [name for name, _, _ in stack.named_estimators_["network"].branches_] == ["numbers", "place"]
    assert_allclose(stack.transform(X)[:, 0], stack.named_estimators_["network"].predict(X), rtol=1e-6)
    assert_allclose(stack.transform(X)[:, 1], stack.named_estimators_["ridge"].predict(X[NUMBERS]))
    assert set(stack.named_estimators) == {"numbers", "place", "ridge"}


def test_individual_training_makes_a_base_model_of_each_branch(table):
    X, y = table
    stack = stack_regressor(training="individual", passthrough=["rooms"]).fit(X, y)
    assert list(stack.named_estimators_) == ["numbers", "place", "ridge"]
    assert stack.get_feature_names_out().tolist() == [
        "multimodalstackingregressor_numbers",
        "multimodalstackingregressor_place",
        "multimodalstackingregressor_ridge",
        "rooms",
    ]
    # A branch alone sees its own columns only.
    moved = X.assign(area=X["area"] + 1.0)
    changed = np.abs(stack.transform(moved) - stack.transform(X)).max(axis=0)
    assert (changed > 0).tolist() == [True, False, True, False]


def test_branches_are_trained_one_by_one_first_on_the_rows_of_each_fold(table):
    X, y = table
    how = {"trainable": {"place": False}, "branch_learning_rate": 0.5, "freeze_epochs": 1, "epochs": 2}
    cv = [(np.arange(24, 48), np.arange(24)), (np.arange(24), np.arange(24, 48))]
    template = MultimodalNetworkRegressor(head=(4,), batch_size=64, early_stopping=False, random_state=0, **how)
    stack = stack_regressor(training="individual+joint", individual_predictions=True, network=template, cv=cv)
    stack.fit(X, y)
    assert list(stack.named_estimators_) == ["network", "ridge", "numbers", "place"]
    staged = network_regressor(stages="individual+joint", keep_individual=True, **how)
    for training, held_out in cv:
        staged.fit(X.iloc[training], y[training])
        networks = [staged, *staged.individual_networks_.values()]
        for column, network in zip((0, 2, 3), networks, strict=True):
            expected = network.predict(X.iloc[held_out])
            assert_allclose(stack.oof_predictions_[held_out, column], expected, rtol=1e-4, atol=1e-5)
    for column, name in enumerate(stack.named_estimators_):
        assert stack.get_feature_names_out()[column] == f"multimodalstackingregressor_{name}"
    assert_allclose(stack.transform(X)[:, 3], stack.named_estimators_["place"].predict(X))


def test_predictions_of_single_branches_are_columns_only_if_wished(table):
    X, y = table
    stack = stack_classifier(training="individual+joint").fit(X, make_labels(y, 3))
    assert list(stack.named_estimators_) == ["network", "logistic"]
    assert not hasattr(stack.named_estimators_["network"], "individual_networks_")
    stack.set_params(training="joint", individual_predictions=True).fit(X, make_labels(y, 3))
    assert list(stack.named_estimators_) == ["network", "logistic"]
    stack.set_params(training="individual+joint").fit(X, make_labels(y, 3))
    assert stack.oof_predictions_.shape == (48, 4 * 3)


def test_single_branches_of_the_folds_are_averaged_too(table):
    X, y = table
    stack = stack_regressor(training="individual+joint", individual_predictions=True).fit(X, y)
    of_folds = stack_regressor(training="individual+joint", individual_predictions=True, refit="folds").fit(X, y)
    assert_allclose(of_folds.oof_predictions_, stack.oof_predictions_, rtol=1e-4, atol=1e-5)
    assert list(of_folds.fold_estimators_) == ["network", "ridge", "numbers", "place"]
    each = [model.predict(X) for model in of_folds.fold_estimators_["place"]]
    assert_allclose(of_folds.transform(X)[:, 3], np.mean(each, axis=0), rtol=1e-5)


def test_how_a_fused_network_is_trained_does_not_concern_individual_ones(table):
    X, y = table
    template = MultimodalNetworkRegressor(epochs=1, stages="individual+joint", trainable=False, freeze_epochs=9)
    network = stack_regressor(training="individual", network=template).fit(X, y).named_estimators_["numbers"]
    assert [(stage.training, stage.branches) for stage in network.stages_] == [("joint", ["numbers"])]


def test_a_list_of_stages_is_for_joint_training(table):
    X, y = table
    template = MultimodalNetworkRegressor(epochs=1, stages=[Stage("individual", epochs=1), Stage()])
    stack = stack_regressor(network=template).fit(X, y)
    assert len(stack.named_estimators_["network"].stages_) == 3
    with pytest.raises(ValueError, match="give training='joint' to train in the 'stages'"):
        stack.set_params(training="individual+joint").fit(X, y)


def test_a_dropped_branch_leaves_the_joint_network(table):
    X, y = table
    stack = stack_regressor(branches()).set_params(place="drop").fit(X, y)
    assert [name for name, _, _ in stack.named_estimators_["network"].branches_] == ["numbers"]
    assert stack.named_estimators_["place"] == "drop"
    assert_array_equal(stack.predict(X), stack.predict(X.assign(city="elsewhere")))


def test_one_branch_object_under_two_names_still_makes_one_joint_network():
    X, y = np.arange(24.0).reshape(12, 2), np.arange(12.0)
    branch = NumericBranch(hidden=(2,))
    network = MultimodalNetworkRegressor(epochs=1, early_stopping=False)
    stack = MultimodalStackingRegressor([("left", branch, [0]), ("right", branch, [1])], network=network, cv=2)
    assert list(stack.fit(X, y).named_estimators_) == ["network"]
    assert len(stack.estimators_) == 1


def test_fitted_learners_are_taken_as_they_are(table):
    X, y = table
    ridge = Ridge().fit(X[NUMBERS], -y)
    network = network_regressor().fit(X, y)
    parts = [("ridge", ridge, NUMBERS), ("net", network)]
    stack = MultimodalStackingRegressor(parts, Recorder(), cv="prefit").fit(X, y)
    assert stack.named_estimators_["ridge"] is ridge
    assert stack.named_estimators_["net"] is network
    expected = np.column_stack([ridge.predict(X[NUMBERS]), network.predict(X)])
    assert_allclose(stack.final_estimator_.seen_X_, expected, rtol=1e-6)


# --- parts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stack", "part", "message"),
    [
        (MultimodalStackingRegressor, StandardScaler(), "learner 'mine' should be a regressor, got StandardScaler"),
        (MultimodalStackingRegressor, LogisticRegression(), "learner 'mine' should be a regressor, got Logistic"),
        (MultimodalStackingClassifier, StandardScaler(), "learner 'mine' should be a classifier or regressor, got"),
    ],
)
def test_learners_of_no_use(table, stack, part, message):
    X, y = table
    with pytest.raises(ValueError, match=message):
        stack([("mine", part)]).fit(X[NUMBERS], make_labels(y) if stack is MultimodalStackingClassifier else y)


def test_no_parts():
    with pytest.raises(ValueError, match=r"Invalid 'estimators' attribute, .*MultimodalStackingRegressor.*got \[\]"):
        MultimodalStackingRegressor([]).fit([[1.0]], [1.0])


# --- seeds -----------------------------------------------------------------------------------------------------------


def test_learners_without_a_seed_get_one_of_the_stack(table):
    X, y = table
    parts = [("unset", DecisionTreeRegressor()), ("set", DecisionTreeRegressor(random_state=3))]
    seeds = [
        {name: model.random_state for name, model in _fitted(parts, seed, X, y).items()} for seed in (0, 0, 1, None)
    ]
    assert seeds[0] == seeds[1]
    assert seeds[0]["unset"] is not None and seeds[0]["unset"] != seeds[2]["unset"]
    assert seeds[3]["unset"] is None
    assert {seed["set"] for seed in seeds} == {3}


def _fitted(parts, seed, X, y):
    return MultimodalStackingRegressor(parts, cv=2, random_state=seed).fit(X[NUMBERS], y).named_estimators_


# --- networks --------------------------------------------------------------------------------------------------------


def _validations(monkeypatch, **params):
    """Fit a stack of branches and a network as learner; return what validation rows each network was given."""
    given = {}
    original = MultimodalNetworkRegressor.cross_fit

    def recording(network, X, y, splits, **options):
        given["+".join(name for name, _, _ in network.branches)] = options["validation"]
        return original(network, X, y, splits, **options)

    monkeypatch.setattr(MultimodalNetworkRegressor, "cross_fit", recording)
    learner = ("learner", network_regressor([("own", NumericBranch(), NUMBERS)]))
    template = MultimodalNetworkRegressor(head=(), epochs=1, validation_fraction=0.25)
    X, y = make_table()
    stack_regressor([*branches(), learner], network=template, **params).fit(X, y)
    return given


@pytest.mark.parametrize("training", ["individual", "joint", "individual+joint"])
def test_networks_made_of_branches_share_one_inner_validation_split(monkeypatch, training):
    given = _validations(monkeypatch, training=training, cv=KFold(3))
    assert given.pop("own") is None
    first, *others = given.values()
    assert len(others) == (training == "individual")
    assert all(other is first for other in others)
    for (training_rows, validation_rows), rows in zip(
        first, [np.arange(48), *(rows for rows, _ in KFold(3).split(np.zeros(48)))], strict=True
    ):
        assert_array_equal(np.sort(np.r_[training_rows, validation_rows]), rows)
        assert len(validation_rows) == round(0.25 * len(rows))


def test_class_weights_name_the_classes_of_the_user(table):
    X, y = table
    labels = make_labels(y, 3)
    weight = {"dear": 3.0, "cheap": 1.0, "fair": 2.0}
    stack = stack_classifier(branches()).set_params(network__class_weight=weight).fit(X, labels)
    assert stack.named_estimators_["network"].class_weight == {0: 1.0, 1: 3.0, 2: 2.0}
    with pytest.raises(ValueError, match=r"class_weight of 'network'.*'lost' is no class of y\. The classes are"):
        stack.set_params(network__class_weight={"dear": 1.0, "lost": 2.0}).fit(X, labels)


# --- class weights ----------------------------------------------------------------------------------------------------


WEIGHTED = [
    *branches(),
    ("logistic", LogisticRegression(), NUMBERS),
    ("piped", make_pipeline(StandardScaler(), LogisticRegression()), NUMBERS),
    ("own", LogisticRegression(class_weight={0: 5.0, 1: 1.0, 2: 1.0}), NUMBERS),
    ("nearest", KNeighborsClassifier(), NUMBERS),
]


def test_class_weights_of_a_stack_reach_all_that_take_them(table):
    X, y = table
    stack = stack_classifier(WEIGHTED, class_weight="balanced").fit(X, make_labels(y, 3))
    given = {name: model.get_params() for name, model in stack.named_estimators_.items()}
    assert given["network"]["class_weight"] == given["logistic"]["class_weight"] == "balanced"
    assert given["piped"]["logisticregression__class_weight"] == "balanced"
    assert given["own"]["class_weight"] == {0: 5.0, 1: 1.0, 2: 1.0}
    assert stack.final_estimator_.class_weight == "balanced"
    assert WEIGHTED[2][1].class_weight is None


def test_class_weights_of_a_stack_name_the_classes_of_the_user(table):
    X, y = table
    weight = {"dear": 3.0, "cheap": 1.0, "fair": 2.0}
    stack = stack_classifier(WEIGHTED, class_weight=weight).fit(X, make_labels(y, 3))
    for estimator in (*stack.estimators_[:2], stack.final_estimator_):
        assert estimator.class_weight == {0: 1.0, 1: 3.0, 2: 2.0}
    template = stack.set_params(network__class_weight={"cheap": 7.0}).fit(X, make_labels(y, 3))
    assert template.named_estimators_["network"].class_weight == {0: 7.0}
    with pytest.raises(ValueError, match=r"'class_weight': 'cheep' is no class of y\. Did you mean 'cheap'\?"):
        stack.set_params(class_weight={"cheep": 2.0}).fit(X, make_labels(y, 3))


def test_balanced_class_weights_are_those_of_the_rows_of_a_fold(table):
    X, rows = table[0], np.arange(48)
    labels = np.where((rows >= 12) & (rows < 30), "usual", "rare")  # unlike in the two folds
    stack = stack_classifier([("logistic", LogisticRegression(), NUMBERS)], class_weight="balanced", cv=KFold(2))
    stack.fit(X, labels)
    for training, held_out in stack.splits_:
        by_hand = LogisticRegression(class_weight="balanced").fit(
            X[NUMBERS].iloc[training], labels[training] == "usual"
        )
        expected = by_hand.predict_proba(X[NUMBERS].iloc[held_out])[:, 1]
        assert_allclose(stack.oof_predictions_[held_out, 0], expected, rtol=1e-6)


def test_balanced_class_weights_find_the_rare_class():
    generator = np.random.default_rng(0)
    y = np.repeat([0, 1], [380, 20])
    X = generator.normal(size=(400, 2)) + 1.2 * y[:, np.newaxis]
    learners = [("logistic", LogisticRegression()), ("nearest", KNeighborsClassifier(25))]
    found = {}
    for weight in (None, "balanced"):
        stack = MultimodalStackingClassifier(learners, class_weight=weight, cv=3).fit(X, y)
        found[weight] = stack.predict(X)[y == 1].mean()
    assert found[None] < 0.5 < 0.75 < found["balanced"]


def test_class_weights_that_change_nothing_are_refused(table):
    X, y = table
    stack = stack_classifier(WEIGHTED, class_weight="balanced", final_estimator=KNeighborsClassifier())
    with pytest.raises(ValueError, match=r"'class_weight' is of no use to 'final_estimator' KNeighborsClassifier\(\)"):
        stack.fit(X, make_labels(y))
    several = np.column_stack([y > 0, y > 1]).astype(int)
    for estimator in (stack_classifier(class_weight="balanced"), network_classifier(class_weight="balanced")):
        with pytest.raises(ValueError, match="'class_weight' is for one class per row, y has several labels"):
            estimator.fit(X, several)
