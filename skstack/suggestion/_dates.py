"""What branches and learners have to know of dates beside how they are written."""


def describe_dates(dates, date_format=None):
    """Return the details of dates that are read from cells, or None if some have a time zone and others have none.

    Parameters
    ----------
    dates : list of date, datetime, Period or datetime64
    date_format : str, default=None
        How they are written.

    Returns
    -------
    details : dict or None
        See :class:`~skstack.suggestion._kinds.Column`.
    """
    have_zone = {getattr(date, "tzinfo", None) is not None for date in dates}
    if len(have_zone) > 1:
        return None
    details = {"date_format": date_format, "are_texts": True}
    if have_zone == {True} and len({date.utcoffset() for date in dates}) > 1:
        details["tz"] = "UTC"
    return details
