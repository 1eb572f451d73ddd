"""A network of the table alone, beside that of all branches where these include images or recordings."""

from sklearn.base import clone

from .._quality import QUALITIES

#: Kinds of columns that a network has to learn much for before they say something.
_HARD_KINDS = ("image", "audio")

#: Rows from which on it learns that, and a further network only takes time.
_MANY_ROWS = 20_000


def suggest_networks(branches, columns, targets, n_rows, task, template, quality):
    """Return a network of the branches of the table, where images or recordings could make that of all branches worse.

    Parameters
    ----------
    branches : list of (str, Branch, list of str or int)
        Of all columns.
    columns : list of Column
    targets : list of Target
    n_rows : int
    task : str, dict or None
        As of :func:`~skstack.suggest_estimators`.
    template : network or None
        Says how the network is trained; ``None`` for the defaults of a quality.
    quality : {"fast", "good", "best"}

    Returns
    -------
    parts : list of (str, network, list of str or int)
        Empty, or the one.
    """
    kinds = {column.key: column.kind for column in columns}
    of_table = [part for part in branches if part[2] is not None and kinds[part[2][0]] not in _HARD_KINDS]
    if not of_table or len(of_table) == len(branches) or n_rows >= _MANY_ROWS:
        return []
    keys = [column.key for column in columns if any(column.key in chosen for _, _, chosen in of_table)]
    # A network of a table without names sees its own columns only.
    parts = [
        (name, clone(branch), [key if isinstance(key, str) else keys.index(key) for key in chosen])
        for name, branch, chosen in of_table
    ]
    if template is None:
        network = _network_class(targets, task)(n_members=QUALITIES[quality].members(parts, n_rows))
    else:
        network = clone(template)
    return [("table_network", network.set_params(branches=parts), keys)]


def _network_class(targets, task):
    if isinstance(task, dict) or len({target.has_classes for target in targets}) > 1:
        from ..network._multitask import MultitaskNetwork

        return MultitaskNetwork
    if targets[0].has_classes:
        from ..network._classifier import MultimodalNetworkClassifier

        return MultimodalNetworkClassifier
    from ..network._regressor import MultimodalNetworkRegressor

    return MultimodalNetworkRegressor
