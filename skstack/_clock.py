"""The clock. Whoever wants to know how long something takes asks here, and nowhere else, so that tests can set it."""

import time


def now():
    """Return the seconds of a clock that never goes back."""
    return time.monotonic()


def duration(seconds):
    """Return a length of time as people say it.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    text : str
        Such as "0.4 s", "12 s", "3 min" or "2 h 5 min".
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return f"{minutes} min" if hours == 0 else f"{hours} h {rest} min"
