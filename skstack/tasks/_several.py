"""Several tasks as one, with a column of the target for each: what a stack predicts that has more than one target."""

from types import SimpleNamespace

import numpy as np

from .._parts import naming
from ._checks import refuse_rows
from ._classification import ClassificationTask, of_both_classes
from ._targets import by_name


class SeveralTasks:
    """A task for each column of the target, with what stacks ask of a :class:`~skstack.tasks._base.Task`.

    Checked targets are dicts by the name of the task. Encoded labels are a table of a column each, in which classes are
    positions and NaN stands for what is missing.

    Parameters
    ----------
    tasks : dict of str to Task
    methods : tuple of str, default=("predict_proba", "decision_function", "predict")
        Methods of estimators whose predictions a stack can use, the best first.

    Attributes
    ----------
    has_gaps_ : bool
        Whether some rows lack a target.
    """

    #: Folds cannot hold the classes of several targets in proportion.
    has_classes = False

    #: Scores of different targets have no common measure.
    scorings = ()

    def __init__(self, tasks, methods=ClassificationTask.methods):
        self.tasks = tasks
        self.methods = methods
        self.has_gaps_ = any(task.has_gaps_ for task in tasks.values())

    @property
    def classes_(self):
        """The classes of each task, or None for one that has none."""
        return [getattr(task, "classes_", None) for task in self.tasks.values()]

    def check(self, y):
        """Return the checked target of each task by its name; see Task."""
        checked = {}
        for name, column in by_name(y, list(self.tasks)).items():
            task = self.tasks[name]
            with naming(f"target {name!r}"):
                checked[name] = task.check(column)
        self.has_gaps_ = any(task.has_gaps_ for task in self.tasks.values())
        return checked

    def fit(self, y):
        """Let each task learn from a checked target."""
        for name, task in self.tasks.items():
            with naming(f"target {name!r}"):
                task.fit(y[name])
        return self

    def score(self, y, predictions, sample_weight=None):
        """Return the mean of the scores of the tasks; see Task."""
        columns = zip(self.tasks.items(), np.asarray(predictions).T, strict=True)
        return float(np.mean([task.score(y[name], column, sample_weight) for (name, task), column in columns]))

    def stratify_labels(self, y):
        """Return None; see `has_classes`."""

    def encode_labels(self, y):
        """Return a column for each task; see Task."""
        return np.column_stack([task.encode_labels(y[name]) for name, task in self.tasks.items()])

    def encode_class_weight(self, class_weight):
        """Return the weights of the classes of each task, for which there is a list of them; see Task."""
        if not isinstance(class_weight, list):
            return class_weight
        pairs = zip(self.tasks.values(), class_weight, strict=True)
        return [task.encode_class_weight(of_task) for task, of_task in pairs]

    def decode_labels(self, predictions):
        """Return the values of each target by the name of its task, from a column for each."""
        decoded = {}
        for (name, task), column in zip(self.tasks.items(), np.asarray(predictions).T, strict=True):
            decoded[name] = task.decode_labels(column.astype(int) if task.has_classes else column)
        return decoded

    def probabilities(self, estimator, predictions):
        """Return the probabilities of the classes of each task, which all have some, as a list."""
        parts = zip(self.tasks.values(), self._parts(estimator, predictions), strict=True)
        return [task.probabilities(of_task, predicted) for task, (of_task, predicted) in parts]

    def knows(self, y):
        """Tell that all rows of another checked target can be encoded, or raise naming the target; see Task."""
        for name, task in self.tasks.items():
            with naming(f"target {name!r}"):
                refuse_rows(y[name], y[name], ~task.knows(y[name]), "a class that no training row has")
        return np.ones(len(next(iter(y.values()))), dtype=bool)

    def network_params(self, given):
        """Return class weights for each column: columns of two classes each are several labels otherwise; see Task."""
        weight = given.get("class_weight")
        return {} if weight is None or isinstance(weight, list) else {"class_weight": [weight] * len(self.tasks)}

    def predicts_same(self, estimator):
        """Tell that there are no scores to compare estimators by; see Task and `scorings`."""
        return True

    def can_average(self, method):
        """Tell that predictions for several targets are not averaged; see Task."""
        return False

    def prediction_columns(self, estimator, predictions, method):
        """Return the columns that each task makes of its predictions, side by side; see Task."""
        if method == "predict":
            return np.asarray(predictions).reshape(len(predictions), -1)
        columns = []
        parts = self._parts(estimator, predictions, method)
        for task, (of_task, predicted) in zip(self.tasks.values(), parts, strict=True):
            one_column = predicted.ndim == 1 and method != "decision_function"
            columns.append(task.prediction_columns(of_task, predicted, "predict" if one_column else _plain(method)))
        return np.hstack(columns)

    def prediction_names(self, prefix, n_columns):
        """Return the names of these columns, those of their tasks among them."""
        owners = self.column_tasks(n_columns)
        names = []
        for name in self.tasks:
            names.extend(self.tasks[name].prediction_names(f"{prefix}_{name}", owners.count(name)))
        return names

    def column_tasks(self, n_columns):
        """Return the name of the task that each of so many columns of predictions is about."""
        if len(self.tasks) == n_columns:  # numbers, probabilities of two classes, or classes rather than probabilities
            return list(self.tasks)
        owners = []
        for name, task in self.tasks.items():
            n_classes = len(task.classes_) if task.has_classes else 1
            owners.extend([name] * (n_classes if n_classes > 2 else 1))
        return owners

    def _parts(self, estimator, predictions, method="predict_proba"):
        """Return for each task what tells its classes, and its predictions."""
        if isinstance(predictions, dict):
            return [(_knowing(getattr(estimator.for_task(n), "classes_", ())), predictions[n]) for n in self.tasks]
        if isinstance(predictions, list):
            return [(_knowing(known), table) for known, table in zip(estimator.classes_, predictions, strict=True)]
        if method == "decision_function":
            return [(_knowing(()), column) for column in predictions.T]
        # Of two classes each, as of several labels: the probability of the second one.
        return [(_knowing((0, 1)), of_both_classes(column)) for column in predictions.T]


def _plain(method):
    return "predict_proba" if method == "predict_tasks" else method


def _knowing(classes):
    classes = np.asarray(classes)
    return SimpleNamespace(classes_=classes.astype(int) if classes.dtype.kind == "f" else classes)  # beside gaps
