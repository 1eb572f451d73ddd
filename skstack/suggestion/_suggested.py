"""The list of parts that is suggested for a table."""

import pandas as pd

from ._code import code_of_parts


class SuggestedEstimators(list):
    """The parts of a stack that are suggested for a table: a list of ``(name, part, columns)``, which prints as code.

    It is what the parameter `estimators` of a stack takes, as it is or changed.

    Parameters
    ----------
    parts : list of (str, branch or estimator, columns)
    reasons : DataFrame
        See the attribute.

    Attributes
    ----------
    reasons : DataFrame
        By the name of each column of the table its kind, why it was taken for that, the names of the parts that get it,
        and a warning where the target may be read off it.
    """

    def __init__(self, parts=(), reasons=None):
        super().__init__(parts)
        self.reasons = pd.DataFrame() if reasons is None else reasons

    def __repr__(self):
        lines = [code_of_parts(self)]
        if "kind" in self.reasons:
            left_out = self.reasons[self.reasons["parts"] == ""]
            lines += [f"# left out: {name!r} ({row.kind}: {row.reason})" for name, row in left_out.iterrows()]
            warned = self.reasons[self.reasons["warning"] != ""]
            lines += [f"# warning: {name!r}, {row.warning}" for name, row in warned.iterrows()]
        return "\n".join(line.replace("\r", " ") for line in lines)
