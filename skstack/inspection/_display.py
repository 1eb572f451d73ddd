"""What the displays of this room have in common."""


def pyplot(owner):
    """Return ``matplotlib.pyplot``, or raise if it is not installed.

    Parameters
    ----------
    owner : str
        What needs it, for the message.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(f'{owner} needs matplotlib: pip install "skstack[plot]"') from error
    return plt


def axes_for(ax, owner, **figure):
    """Return the axes to draw into: the given ones, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
    owner : str
        What draws, for the message if matplotlib is not installed.
    **figure : dict
        Of :func:`matplotlib.pyplot.subplots` for a new figure.
    """
    plt = pyplot(owner)
    return plt.subplots(**figure)[1] if ax is None else ax


def bars_from_zero(ax, names, lengths, errors=None):
    """Draw horizontal bars from a line at 0, the first one at the bottom, and return them.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    names : list of str
    lengths : array-like of shape (n_bars,)
    errors : array-like of shape (n_bars,), default=None
        Half the length of the error bars.
    """
    bars = ax.barh(names, lengths, xerr=errors, capsize=3)
    as_they_are(ax.get_yticklabels())
    ax.axvline(0.0, color="black", linewidth=0.8)
    return bars


def as_they_are(texts):
    """Let texts be read as they are: names may hold a "$", which begins no formula."""
    for text in texts:
        text.set_parse_math(False)


def legend_of(ax, lines, **params):
    """Draw a legend of lines with their labels as they are: a "_" in front hides none, and "$" begins no formula.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    lines : list of matplotlib.lines.Line2D
    **params : dict
        Of :meth:`matplotlib.axes.Axes.legend`.
    """
    legend = ax.legend(lines, ["label"] * len(lines), **params)  # matplotlib < 3.10 hides "_" among these, too
    for text, line in zip(legend.get_texts(), lines, strict=True):
        text.set(text=line.get_label(), parse_math=False)


def grid_of_axes(ax, n_panels, owner, *, n_columns=3, panel=(3.6, 3.2)):
    """Return as many axes as there are panels.

    Parameters
    ----------
    ax : matplotlib.axes.Axes, array-like of Axes or None
        Axes whose place is divided, those to draw into, or None for a new figure.
    n_panels : int
    owner : str
        What draws, for messages.
    n_columns : int, default=3
        Panels side by side at most.
    panel : (float, float) tuple, default=(3.6, 3.2)
        Width and height of a panel of a new figure, in inches.

    Returns
    -------
    axes : list of matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there are other than `n_panels` axes.
    """
    plt = pyplot(owner)
    if ax is not None and not isinstance(ax, plt.Axes):
        axes = list(getattr(ax, "flat", ax))
        if len(axes) != n_panels:
            raise ValueError(f"{owner} needs {n_panels} axes, one for each panel, got {len(axes)}.")
        return axes
    n_columns = min(n_columns, n_panels)
    n_rows = -(-n_panels // n_columns)
    if ax is None:
        width, height = panel
        figure = plt.figure(figsize=(width * n_columns, height * n_rows), layout="constrained")
        grid = figure.add_gridspec(n_rows, n_columns)
    else:
        ax.set_axis_off()
        figure, grid = ax.figure, ax.get_subplotspec().subgridspec(n_rows, n_columns, wspace=0.35, hspace=0.5)
    return [figure.add_subplot(grid[number // n_columns, number % n_columns]) for number in range(n_panels)]
