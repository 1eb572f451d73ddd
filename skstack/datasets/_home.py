"""Where data that is not part of the package lives."""

import os
from pathlib import Path


def find_data(name):
    """Find a folder of real data under the directory that ``SKSTACK_DATA`` names.

    Parameters
    ----------
    name : str
        Name of the folder, for example ``"houses"``.

    Returns
    -------
    folder : pathlib.Path or None
        ``None`` when the environment variable is unset or empty, or when it names a directory without that folder.

    Examples
    --------
    >>> from skstack.datasets import find_data
    >>> find_data("a folder nobody has") is None
    True
    """
    home = os.environ.get("SKSTACK_DATA")
    if not home:
        return None
    folder = Path(home).expanduser().resolve() / name
    return folder if folder.is_dir() else None
