"""Links from what a notebook shows of an estimator to its page of the documentation."""

from importlib import import_module

#: Where the page of a public class is.
PAGES = "https://skstack.github.io/skstack/api/generated/{path}.html"


def public_module(thing):
    """Return the name of the package that makes a class or function public, or None if none does.

    Parameters
    ----------
    thing : type or callable

    Returns
    -------
    module : str or None
        The innermost one without an underscore in front of any part, such as "skstack.branches".
    """
    packages = thing.__module__.split(".")
    for end in range(len(packages), 0, -1):
        is_public = not any(part.startswith("_") for part in packages[:end])
        package = ".".join(packages[:end])
        if is_public and getattr(import_module(package), thing.__name__, None) is thing:
            return package
    return None


class DocLinkMixin:
    """An estimator whose box in a diagram links to its page, as those of scikit-learn do.

    Stands in front of :class:`~sklearn.base.BaseEstimator`. A subclass of somebody else's has no page of ours.
    """

    _doc_link_module = "skstack"
    _doc_link_template = PAGES

    def _doc_link_url_param_generator(self):
        return {"path": f"{public_module(type(self))}.{type(self).__name__}"}

    def _get_doc_link(self):
        return super()._get_doc_link() if public_module(type(self)) else ""
