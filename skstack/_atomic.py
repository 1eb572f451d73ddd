"""Fits that leave an estimator as it was when they do not come to their end."""

from contextlib import contextmanager


@contextmanager
def unchanged_on_error(estimator):
    """Give an estimator back the attributes that it had before the block if the block raises.

    After an interrupted fit to other labels, old weights would otherwise predict under new ``classes_``. What the
    attributes hold must not be changed in place before the block is over.

    Parameters
    ----------
    estimator : estimator
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
