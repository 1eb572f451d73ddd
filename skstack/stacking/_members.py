"""The base models of a stack: its parts, checked; learners with seeds; networks made of branches."""

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from .._columns import resolve_columns
from .._compat import check_response_method, num_samples
from .._parts import check_own_parameters, check_part_names, check_part_tuples, naming, noting, split_part
from .._quality import QUALITIES
from ..branches._base import Branch, check_no_branch_inside
from ._cross_fit import BaseModel, predict_out_of_fold, training_history

#: The name of the base model that joint training makes of all branches, and of the parameter with its template.
JOINT = "network"


def check_parts(stack, parts):
    """Return name, part and columns of each part of a stack that is not dropped, or raise if one is of no use."""
    owner = type(stack).__name__
    check_part_tuples(parts, owner, "estimators")
    parts = [split_part(part) for part in parts]
    reserved = {*stack.get_params(deep=False), "optimizer", "loss", "metrics", "callbacks"}
    check_part_names([name for name, _, _ in parts], reserved, owner, "estimators")
    kept = [part for part in parts if not (isinstance(part[1], str) and part[1] == "drop")]
    if not kept:
        raise ValueError(f"All estimators of {owner} are dropped; at least one is required to be an estimator.")
    for name, part, _ in kept:
        check = _check_branch if isinstance(part, Branch) else _check_learner
        check(stack, name, part)
    return kept


def _check_branch(stack, name, branch):
    if isinstance(stack.cv, str):
        raise ValueError(
            f"branch {name!r} cannot be used with cv='prefit': a branch predicts nothing by itself. "
            "Give a fitted network as a learner instead."
        )
    with naming(f"branch {name!r}"):
        branch.check_parameters()


def _check_learner(stack, name, learner):
    check_no_branch_inside(learner, f"learner {name!r}")
    if not hasattr(learner, "fit"):
        raise TypeError(f"{name!r} should be a branch, an estimator instance or 'drop', got {learner!r}.")
    stack._check_learner(name, learner)
    if not isinstance(stack.cv, str):
        check_own_parameters(learner, f"in learner {name!r}")


def network_template(network, network_class, branches, quality, n_rows):
    """Return a clone of the network that branches of a stack are put into, or one of a quality for ``None``."""
    if network is None:
        return network_class(n_members=QUALITIES[quality].members(branches, n_rows))
    if not isinstance(network, network_class):
        raise TypeError(f"'network' parameter should be a {network_class.__name__}, got {network!r}.")
    if network.branches is not None:
        raise ValueError(
            "'network' is a template for the branches among 'estimators': leave its own 'branches' out, "
            "or give it as a learner."
        )
    return clone(network)


def _take_stages(network, keep_individual):
    """Let a network train its branches one by one before it trains them together, and keep their networks if wished."""
    if isinstance(network.stages, (list, tuple)):
        raise ValueError(
            "training='individual+joint' has stages of its own: give training='joint' to train in the 'stages' of "
            "'network', or leave these out."
        )
    network.set_params(stages="individual+joint", keep_individual=keep_individual)


class BaseModels:
    """Makes the base models of a stack.

    Parameters
    ----------
    stack : estimator
        Its parameters say how.
    network_class : callable
        Returns the class of its networks; called if there are branches.
    task : Task
        Fitted.
    seed : int
        Of the networks and, if the stack has a random state, the learners that have none.
    """

    def __init__(self, stack, network_class, task, seed):
        self._stack, self._network_class, self._task = stack, network_class, task
        self._generator = np.random.RandomState(seed)

    def make(self, X, parts, X_val=None):
        """Return the unfitted base models, in the order of the parts.

        Parameters
        ----------
        X : DataFrame, array or sparse matrix of shape (n_samples, ...)
        parts : list of (str, branch or estimator, columns)
        X_val : DataFrame, array or sparse matrix of shape (n_val_samples, ...), default=None
            Rows that networks stop on, whose cells are checked as those of X are.
        """
        branches = [part for part in parts if isinstance(part[1], Branch)]
        models = []
        for part in parts:
            name, estimator, columns = part
            if not isinstance(estimator, Branch):
                models.append(self._learner(name, estimator, columns, X))
            elif self._stack.training == "individual":
                models.append(self._network(name, [part], X, X_val))
            elif name == branches[0][0]:
                models.append(self._network(JOINT, branches, X, X_val))
        return models

    def _learner(self, name, learner, columns, X):
        with naming(f"learner {name!r}"):
            positions = resolve_columns(X, columns)
        if self._stack.cv != "prefit":
            learner = weighted_by_class(self._seeded(clone(learner)), self._stack, self._task)
        return BaseModel(name, learner, positions, self._method(name, learner), self._stack._task_of(name, learner))

    def _network(self, name, branches, X, X_val):
        stack = self._stack
        network = network_template(stack.network, self._network_class(), branches, stack.quality, num_samples(X))
        if stack.training == "individual":
            network = network.of_one_branch(*branches)
        else:
            network.set_params(branches=branches)
        if stack.training == "individual+joint":
            _take_stages(network, stack.individual_predictions)
        if network.random_state is None:
            network.set_params(random_state=self._draw())
        stack._prepare_network(network)
        weighted_by_class(network, stack, self._task)
        network.set_params(**self._task.network_params(network.get_params(deep=False)))
        network.check_data(X, X_val)
        model = BaseModel(name, network, None, self._method(name, network), self._task, has_branches=True)
        model.adds_individual = stack.training == "individual+joint" and stack.individual_predictions
        return model

    def _method(self, name, estimator):
        wanted = getattr(self._stack, "stack_method", "auto")
        methods = self._task.methods if wanted == "auto" else (wanted,)
        if methods == ("predict_tasks",):  # a learner of one task is asked task by task
            return methods[0]
        try:
            return check_response_method(estimator, methods).__name__
        except AttributeError as error:
            raise ValueError(f"learner {name!r} does not implement the method {' or '.join(methods)}.") from error

    def _seeded(self, learner):
        """Give a learner's unset random states a seed, if the stack has one."""
        if self._stack.random_state is not None:
            unset = _unset(learner, "random_state")
            learner.set_params(**{name: self._draw() for name in unset})
        return learner

    def _draw(self):
        return self._generator.randint(np.iinfo("int32").max)


def weighted_by_class(estimator, stack, task):
    """Give an estimator the class weights of a stack, wherever it takes some and has none; return it.

    It computes "balanced" ones itself, from the rows that it is fitted to.

    Parameters
    ----------
    estimator : estimator
    stack : estimator
        Weights only where it has a parameter `class_weight`.
    task : Task
        Fitted.
    """
    weight = getattr(stack, "class_weight", None)
    if weight is None:
        return estimator
    with naming("'class_weight'"):
        weight = task.encode_class_weight(weight)
    return estimator.set_params(**dict.fromkeys(_unset(estimator, "class_weight"), weight))


def _unset(estimator, parameter):
    """Return the full names under which an estimator and its parts have a parameter that is None."""
    params = sorted(estimator.get_params(deep=True).items())
    return [name for name, value in params if value is None and name.rpartition("__")[2] == parameter]


def check_fitted(models):
    """Return base models that are used as they are, after checking that they are fitted."""
    for model in models:
        name = model.name.replace("%", "%%")  # scikit-learn fills the message in
        check_is_fitted(model.estimator, msg=f"learner {name!r}, a %(name)s, is not fitted, as cv='prefit' needs.")
    return models


def shared_validation(models, y, splits, params):
    """Return the inner validation split that all networks made of branches get, or None if they need none.

    Parameters
    ----------
    models : list of BaseModel
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Encoded labels.
    splits : list of (ndarray, ndarray)
    params : Bunch
        What each model gets beside X and y.

    Returns
    -------
    validation : list of (ndarray, ndarray) or None
        See :meth:`~skstack._protocols.CrossFitter.split_validation`.
    """
    first = next((model for model in models if model.has_branches), None)
    if first is None or "X_val" in params[first.name].fit:
        return None
    return first.estimator.split_validation(y, [training for training, _ in splits], **params[first.name].fit)


def add_individual(models, predictions, X, splits):
    """Add networks of single branches to the base models; return the predictions of all.

    Parameters
    ----------
    models : list of BaseModel
        Cross-fitted.
    predictions : list of ndarray of shape (n_samples, n_columns)
        Of each base model.
    X : DataFrame, array or sparse matrix of shape (n_samples, ...)
    splits : list of (ndarray, ndarray)
    """
    for network in [model for model in models if model.adds_individual]:
        refitted, kept = network.fold_models is None, network.kept_models
        for name in kept[0].individual_networks_:
            of_folds = [model.individual_networks_[name] for model in kept]
            with noting(f"in base model {name!r}"):
                predictions.append(predict_out_of_fold(of_folds, X, splits, network.method, network.task))
            estimator = network.estimator.individual_networks_[name] if refitted else of_folds[0]
            alone = BaseModel(name, estimator, None, network.method, network.task)
            alone.fold_models = None if refitted else of_folds
            alone.histories = [training_history(model) for model in of_folds]
            models.append(alone)
        network.kept_models = None
    return predictions
