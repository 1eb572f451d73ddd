"""Functions of nested dicts and lists."""


def map_nest(function, nest):
    """Apply a function to the leaves of nested dicts and lists."""
    return map_nests(function, nest)


def map_nests(function, *nests):
    """Apply a function to the leaves of nests of the same structure, taken together."""
    first = nests[0]
    if isinstance(first, dict):
        return {name: map_nests(function, *(nest[name] for nest in nests)) for name in first}
    if isinstance(first, list):
        return [map_nests(function, *parts) for parts in zip(*nests, strict=True)]
    return function(*nests)
