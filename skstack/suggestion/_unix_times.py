"""Whole numbers that count the seconds or milliseconds since 1970."""

#: Seconds since 1970 at the beginning of 2000 and of 2040, and those of a month.
_FIRST, _LAST = 946_684_800, 2_208_988_800
_A_MONTH = 30 * 24 * 3600


def are_unix_times(least, most):
    """Tell whether numbers between two lie where the times of these years do, further apart than running numbers.

    Parameters
    ----------
    least, most : float

    Returns
    -------
    bool
    """
    return any(
        _FIRST * unit <= least and most <= _LAST * unit and most - least >= _A_MONTH * unit for unit in (1, 1000)
    )
