"""How many digits numbers need."""

import numpy as np


def needed_dtype(center, scale):
    """Return "float64" where float32 could not tell the values of a column apart, else "float32".

    Seconds since 1970, say, differ by less than float32 resolves there. Networks compute in float32 all the same, but
    only once such values are centred.

    Parameters
    ----------
    center, scale : ndarray of shape (n_columns,)
        Where the values lie, and how far apart.

    Returns
    -------
    dtype : str
    """
    blurred = np.finfo("float32").eps * np.abs(center) > 1e-3 * scale
    return "float64" if np.any(blurred) else "float32"
