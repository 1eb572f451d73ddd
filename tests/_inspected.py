"""Small fitted stacks that tests of inspection look into."""

from functools import cache

import numpy as np
from _small import branches, make_labels, make_table, network_regressor, stack_classifier, stack_regressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

N_ROWS = 90


@cache
def table():
    """Return rows and numbers to predict."""
    return make_table(N_ROWS)


@cache
def labels(n_classes=2):
    """Return classes to predict for the same rows."""
    return make_labels(table()[1], n_classes)


@cache
def fitted_regressor(**params):
    """Return a stack of a network and a learner."""
    stack = stack_regressor([*branches(), ("ridge", Ridge(), ["area", "rooms"])], cv=3, **params)
    return stack.set_params(network__epochs=4, network__batch_size=16).fit(*table())


@cache
def fitted_classifier(n_classes=2):
    """Return a stack of a network and a learner."""
    stack = stack_classifier([*branches(), ("logistic", LogisticRegression(), ["area", "rooms"])], cv=3)
    return stack.set_params(network__epochs=4, network__batch_size=16).fit(table()[0], labels(n_classes))


@cache
def fitted_network(**params):
    """Return a network."""
    return network_regressor(epochs=2, **params).fit(*table())


def planted(n_rows=120, seed=0):
    """Return a table of numbers and categories without any leak, and numbers to predict."""
    generator = np.random.default_rng(seed)
    X, y = make_table(n_rows, seed)
    return X.assign(area=generator.normal(size=n_rows)), y


def search_of(fitted):
    """Return a search whose best estimator is a fitted one."""
    search = GridSearchCV(fitted, {})
    search.best_estimator_ = fitted
    return search


def around(fitted):
    """Return searches and pipelines around a fitted estimator."""
    in_pipeline = make_pipeline("passthrough", fitted)
    return search_of(fitted), search_of(in_pipeline), make_pipeline("passthrough", search_of(fitted))
