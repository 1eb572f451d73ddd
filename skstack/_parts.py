"""Named parts: the ``(name, part, columns)`` tuples that stacks and networks are made of."""

from contextlib import contextmanager

from sklearn import get_config
from sklearn.pipeline import Pipeline


def split_part(part):
    """Return name, part and columns of a tuple whose columns may be left out."""
    name, estimator, *columns = part
    return name, estimator, columns[0] if columns else None


def check_part_tuples(parts, owner, attribute):
    """Raise unless `parts` is a non-empty list of ``(name, part)`` or ``(name, part, columns)`` tuples."""
    if not isinstance(parts, (list, tuple)) or not parts:
        raise ValueError(
            f"Invalid '{attribute}' attribute, '{attribute}' of {owner} should be a non-empty list of "
            f"(name, part, columns) tuples, got {parts!r}."
        )
    for part in parts:
        if not isinstance(part, (list, tuple)) or len(part) not in (2, 3) or not isinstance(part[0], str):
            raise ValueError(
                f"Every item of '{attribute}' of {owner} should be a tuple (name, part, columns) or (name, part) "
                f"with a string as name, got {part!r}."
            )
        _check_part_form(*split_part(part), owner)


def _check_part_form(name, part, columns, owner):
    if hasattr(columns, "fit"):
        raise TypeError(f"part {name!r} of {owner} has its columns, {part!r}, in front: write (name, part, columns).")
    check_instance(part, f"part {name!r} of {owner}")


def named_parts(parts):
    """Return pairs of name and part; none where `parts` is not a list of parts."""
    if not isinstance(parts, (list, tuple)):
        return []
    return [tuple(part[:2]) for part in parts if isinstance(part, (list, tuple)) and len(part) >= 2]


def check_instance(value, what):
    """Raise if a class was given where an instance belongs; `what` names it."""
    if isinstance(value, type):
        raise TypeError(
            f"{what} should be an instance, got the class {value.__name__}: did you forget the parentheses, "
            f"{value.__name__}()?"
        )


def check_own_parameters(estimator, where):
    """Raise as ``fit`` of an estimator of scikit-learn would if one of its parameters is of no use.

    Parameters
    ----------
    estimator : estimator
        Of a pipeline every step is looked at; estimators that have others inside are left to themselves, as a search
        may set what is missing.
    where : str
        Note that is added to the error.

    Raises
    ------
    ValueError
        Of scikit-learn.
    """
    if get_config()["skip_parameter_validation"]:
        return
    steps = [step for _, step in estimator.steps] if isinstance(estimator, Pipeline) else []
    for step in [estimator, *steps]:
        if hasattr(step, "_parameter_constraints") and hasattr(step, "_validate_params"):
            with noting(where):
                step._validate_params()


def check_part_names(names, taken, owner, attribute):
    """Raise unless the names of parts are unique and usable as prefixes of parameters and as names of Keras layers.

    Parameters
    ----------
    names : list of str
    taken : iterable of str
        Names that mean something else in `owner`.
    owner, attribute : str
        The class and its parameter, for the message.
    """
    names = list(names)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"Names in '{attribute}' of {owner} should be unique, got several parts named {repeated}.")
    clashing = sorted(set(names) & set(taken))
    if clashing:
        raise ValueError(f"Names in '{attribute}' of {owner} conflict with its own parameters: {clashing}.")
    illegal = [name for name in names if not name or "__" in name or "/" in name]
    if illegal:
        raise ValueError(
            f"Names in '{attribute}' of {owner} should not be empty nor contain '__' or '/', got {illegal}."
        )


@contextmanager
def naming(part):
    """Begin the message of an error that a part raises with the name of the part."""
    try:
        yield
    except (ValueError, TypeError, OSError) as error:
        if str(error).startswith(part):
            raise
        kinds = (FileNotFoundError, ValueError, TypeError)
        kind = next((kind for kind in kinds if isinstance(error, kind)), ValueError)
        raise kind(f"{part}: {error}") from error


@contextmanager
def noting(where):
    """Add a note to an error of someone else's code that says where it came from; the error stays what it is."""
    try:
        yield
    except Exception as error:
        error.add_note(where)
        raise


class PartsMixin:
    """Parameters of named parts: ``get_params`` and ``set_params`` reach into them.

    Stands in front of :class:`~sklearn.base.BaseEstimator`. A subclass names the attribute that holds its parts in
    ``_parts_attribute``.
    """

    _parts_attribute = None

    @property
    def _named_parts(self):
        """Pairs of name and part; none where the attribute is not a list of parts, which `fit` will say."""
        return named_parts(getattr(self, self._parts_attribute))

    def _replace_parts(self, replacing):
        """Put other parts under the names that `replacing` maps to them, with the columns as they are."""
        parts = getattr(self, self._parts_attribute)
        replaced = [(name, replacing.get(name, part), *columns) for name, part, *columns in parts]
        setattr(self, self._parts_attribute, replaced)

    def get_params(self, deep=True):
        """Get the parameters of this estimator and, if `deep`, of its named parts.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the parts and their parameters.

        Returns
        -------
        params : dict
            Parameter names mapped to their values.
        """
        params = super().get_params(deep=deep)
        for name, part in self._named_parts if deep else []:
            params[name] = part
            if hasattr(part, "get_params") and not isinstance(part, type):
                params.update({f"{name}__{key}": value for key, value in part.get_params(deep=True).items()})
        return params

    def set_params(self, **params):
        """Set the parameters of this estimator and of its named parts.

        Parameters
        ----------
        **params : dict
            Parameters of this estimator, parts by name, and parameters of parts as ``name__parameter``.

        Returns
        -------
        self : object
            This estimator.

        Raises
        ------
        ValueError
            If neither this estimator nor the part that a name begins with has such a parameter.
        """
        if self._parts_attribute in params:
            setattr(self, self._parts_attribute, params.pop(self._parts_attribute))
        replacing = {name: params.pop(name) for name, _ in self._named_parts if name in params}
        if replacing:
            self._replace_parts(replacing)
        parts, nested = dict(self._named_parts), {}
        for key in list(params):
            name, _, parameter = key.partition("__")
            if parameter and name in parts:
                nested.setdefault(name, {})[parameter] = params.pop(key)
        super().set_params(**params)
        for name, values in nested.items():
            parts[name].set_params(**values)
        return self
