"""With classical learners only, a stack does what scikit-learn's own stacking does on the same splits."""

import numpy as np
import pytest
from _small import make_labels, make_table
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.ensemble import StackingClassifier, StackingRegressor
from sklearn.linear_model import LogisticRegression, Perceptron, Ridge, RidgeCV
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skstack import MultimodalStackingClassifier, MultimodalStackingRegressor


@pytest.fixture(scope="module")
def table():
    """Numbers, and a target."""
    X, y = make_table(90)
    return X.drop(columns="city"), y


REGRESSORS = [("ridge", Ridge()), ("tree", DecisionTreeRegressor(max_depth=3, random_state=0))]
CLASSIFIERS = [("logistic", LogisticRegression()), ("tree", DecisionTreeClassifier(max_depth=3, random_state=0))]


def _assert_alike(ours, theirs, X):
    """Assert that two fitted stacks predict, transform and call their columns alike."""
    if hasattr(theirs, "classes_"):
        assert_array_equal(ours.classes_, theirs.classes_)
        assert_array_equal(ours.predict(X), theirs.predict(X))
        assert_allclose(ours.predict_proba(X), theirs.predict_proba(X))
        assert ours.stack_method_ == theirs.stack_method_
    else:
        assert_allclose(ours.predict(X), theirs.predict(X))
    # What the final estimator learned tells about the out-of-fold predictions.
    assert_allclose(ours.final_estimator_.coef_, theirs.final_estimator_.coef_)
    transformed, expected = ours.transform(X), theirs.transform(X)
    if sparse.issparse(expected):
        assert transformed.format == expected.format
        transformed, expected = transformed.toarray(), expected.toarray()
    assert_allclose(transformed, expected)
    names = [name.removeprefix("multimodal") for name in ours.get_feature_names_out()]
    assert names == theirs.get_feature_names_out().tolist()
    assert list(ours.named_estimators_) == list(theirs.named_estimators_)


@pytest.mark.parametrize("passthrough", [False, True])
@pytest.mark.parametrize("container", ["DataFrame", "array", "sparse matrix"])
@pytest.mark.parametrize("weighted", [False, True])
def test_regressor(table, passthrough, container, weighted):
    X, y = table
    X = {"DataFrame": X, "array": X.to_numpy(), "sparse matrix": sparse.csr_matrix(X.to_numpy())}[container]
    weight = {"sample_weight": np.linspace(0.1, 2, len(y))} if weighted else {}
    settings = {"estimators": REGRESSORS, "final_estimator": Ridge(0.1), "cv": KFold(4), "passthrough": passthrough}
    ours = MultimodalStackingRegressor(**settings).fit(X, y, **weight)
    _assert_alike(ours, StackingRegressor(**settings).fit(X, y, **weight), X)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("stack_method", ["auto", "predict_proba", "predict"])
@pytest.mark.parametrize("passthrough", [False, True])
def test_classifier(table, n_classes, stack_method, passthrough):
    X, y = table
    settings = {
        "estimators": CLASSIFIERS,
        "final_estimator": LogisticRegression(C=2.0),
        "cv": StratifiedKFold(3, shuffle=True, random_state=0),
        "stack_method": stack_method,
        "passthrough": passthrough,
    }
    y = make_labels(y, n_classes)
    ours, theirs = MultimodalStackingClassifier(**settings).fit(X, y), StackingClassifier(**settings).fit(X, y)
    _assert_alike(ours, theirs, X)
    assert_allclose(ours.decision_function(X), theirs.decision_function(X))
    assert ours.score(X, y) == theirs.score(X, y)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_classifiers_with_decision_functions(table, n_classes):
    X, y = table
    learners = [("svm", LinearSVC()), ("perceptron", Perceptron()), ("bayes", GaussianNB())]
    y = make_labels(y, n_classes)
    final = LogisticRegression(max_iter=1000)
    ours = MultimodalStackingClassifier(learners, final, cv=3).fit(X, y)
    _assert_alike(ours, StackingClassifier(learners, final, cv=3).fit(X, y), X)
    assert ours.stack_method_ == ["decision_function", "decision_function", "predict_proba"]


@pytest.mark.parametrize("weighted", [False, True])
def test_classifier_of_a_sparse_matrix(table, weighted):
    X, y = table
    X, y = sparse.csr_matrix(X.to_numpy()), make_labels(y, 3)
    weight = {"sample_weight": np.linspace(0.1, 2, len(y))} if weighted else {}
    ours = MultimodalStackingClassifier(CLASSIFIERS, cv=3, passthrough=True).fit(X, y, **weight)
    theirs = StackingClassifier(CLASSIFIERS, cv=3, passthrough=True).fit(X, y, **weight)
    assert sparse.issparse(ours.transform(X))
    _assert_alike(ours, theirs, X)


@pytest.mark.parametrize("cv", [None, 3])
def test_default_and_integer_folds(table, cv):
    X, y = table
    # The default on top is an average here: the default of scikit-learn has to be given.
    ours, theirs = MultimodalStackingRegressor(REGRESSORS, RidgeCV(), cv=cv), StackingRegressor(REGRESSORS, cv=cv)
    _assert_alike(ours.fit(X, y), theirs.fit(X, y), X)
    y = np.sort(make_labels(y, 3))  # without stratification a fold would lack a class
    ours = MultimodalStackingClassifier(CLASSIFIERS, LogisticRegression(), cv=cv)
    theirs = StackingClassifier(CLASSIFIERS, cv=cv)
    _assert_alike(ours.fit(X, y), theirs.fit(X, y), X)


def test_the_default_on_top_is_that_of_scikit_learn_where_there_is_more_than_predictions_to_average(table):
    X, y = table
    settings = {"cv": 3, "passthrough": True}
    ours, theirs = (stack(REGRESSORS, **settings) for stack in (MultimodalStackingRegressor, StackingRegressor))
    _assert_alike(ours.fit(X, y), theirs.fit(X, y), X)
    scores, y = [("svm", LinearSVC()), *CLASSIFIERS], make_labels(y, 3)
    ours, theirs = (stack(scores, cv=3) for stack in (MultimodalStackingClassifier, StackingClassifier))
    _assert_alike(ours.fit(X, y), theirs.fit(X, y), X)


def test_fitted_learners(table):
    X, y = table
    fitted = [(name, learner.fit(X, y > 1)) for name, learner in CLASSIFIERS]
    ours = MultimodalStackingClassifier(fitted, LogisticRegression(), cv="prefit")
    theirs = StackingClassifier(fitted, cv="prefit")
    _assert_alike(ours.fit(X, y > 2), theirs.fit(X, y > 2), X)


def test_dropped_learners(table):
    X, y = table
    ours, theirs = MultimodalStackingRegressor(REGRESSORS, RidgeCV(), cv=3), StackingRegressor(REGRESSORS, cv=3)
    for stack in (ours, theirs):
        stack.set_params(ridge="drop").fit(X, y)
    assert ours.named_estimators_["ridge"] == "drop"
    assert len(ours.estimators_) == 1
    assert_allclose(ours.transform(X), theirs.transform(X))
    assert_allclose(ours.predict(X), theirs.predict(X))
    with pytest.raises(ValueError, match="dropped"):
        ours.set_params(tree="drop").fit(X, y)


def test_columns_of_a_learner_stand_for_a_column_transformer(table):
    _, y = table
    X, _ = make_table(90)
    encode = OneHotEncoder(handle_unknown="ignore")
    ours = MultimodalStackingRegressor(
        [("place", make_pipeline(encode, Ridge()), ["city"]), ("size", Ridge(), lambda X: ["area"])],
        RidgeCV(),
        cv=3,
    )
    by_hand = [("place", encode, ["city"]), ("size", "passthrough", ["area"])]
    theirs = StackingRegressor(
        [(name, make_pipeline(make_column_transformer((how, columns)), Ridge())) for name, how, columns in by_hand],
        cv=3,
    )
    _assert_alike(ours.fit(X, y), theirs.fit(X, y), X)


def test_equal_seeds_give_equal_learners(table):
    X, y = table
    learners = [("forest", DecisionTreeRegressor(splitter="random"))]
    stacks = [MultimodalStackingRegressor(learners, RidgeCV(), cv=3, random_state=seed).fit(X, y) for seed in (0, 0, 1)]
    assert_array_equal(stacks[0].predict(X), stacks[1].predict(X))
    assert np.abs(stacks[0].predict(X) - stacks[2].predict(X)).max() > 0
    assert learners[0][1].random_state is None
