"""What of a stack depends on its target, where a stack of one target, or of several of one kind, does the usual."""

from sklearn.base import is_classifier, is_regressor

from .._parts import check_own_parameters, naming
from .._protocols import TakesGaps
from .._validation import check_lengths, check_weights
from ._per_target import for_targets


class TargetMixin(TakesGaps):
    """What base models and final estimator are fitted to."""

    def _check_final(self, final):
        """Raise unless a final estimator is of the kind of this stack."""
        is_of_kind = is_classifier if self._kind == "classifier" else is_regressor
        if not is_of_kind(final):
            raise ValueError(f"'final_estimator' parameter should be a {self._kind}. Got {final!r}.")
        check_own_parameters(final, "in the final estimator")

    def _check_learner(self, name, learner):
        """Raise unless a learner predicts what this stack can use."""
        # A regressor can say something about classes too, as where these have an order.
        of_classes = self._kind == "classifier"
        if not (is_regressor(learner) or (is_classifier(learner) and of_classes)):
            kinds = "classifier or regressor" if of_classes else "regressor"
            raise ValueError(f"learner {name!r} should be a {kinds}, got {learner!r}.")

    def _task_of(self, name, learner):
        """Return the task that a learner is fitted to."""
        return self._task

    def _prepare_network(self, network):
        """Tell a network, made of branches, what this stack knows of its target."""
        given = network.get_params(deep=False).get("class_weight")
        if given is not None:
            with naming("class_weight of 'network'"):
                network.set_params(class_weight=self._task.encode_class_weight(given))

    def _check_target(self, X, y, sample_weight, groups):
        """Return the labels that base models and final estimator are fitted to, and checked weights."""
        check_lengths(X, y, sample_weight=sample_weight, groups=groups)
        self._task = self._make_task(y)
        y = self._task.check(y)
        labels = self._task.fit(y).encode_labels(y)
        return labels, None if sample_weight is None else check_weights(sample_weight, X.shape[0])

    def _fitted_as(self, model, labels):
        """Return the estimator of a base model as it is to be fitted to labels."""
        return for_targets(model.estimator, model.task, labels)

    def _unfitted_final(self, models=()):
        return self._default_final(models) if self.final_estimator is None else self.final_estimator

    def _prepared_final(self, final):
        """Return the final estimator as it predicts what the stack does."""
        return final

    def _final_for_targets(self, final, labels, predictions, features):
        """Return the final estimator as it is to be fitted to labels."""
        return for_targets(final, self._task, labels)
