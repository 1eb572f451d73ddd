"""The kinds of data that a column may hold, and what is found out about a column."""

from dataclasses import dataclass, field

#: What `kinds` may say of a column, and what is meant by it.
KINDS = {
    "numeric": "numbers",
    "numeric_text": 'texts with numbers in them, such as "1198 cc"',
    "boolean": "two values",
    "categorical": "categories",
    "entity": "names of things that several columns share, such as two teams",
    "date": "dates",
    "text": "texts",
    "image": "images, paths of images, or lists of them",
    "audio": "recordings, paths of recordings, or lists of them",
    "sequence": "sequences of numbers",
    "constant": "a constant, left out",
    "id": "a name of the row that tells nothing of it, left out",
    "drop": "left out",
}

#: Columns of more categories than these have a branch of their own, as the vectors of a branch are of one length.
MANY_CATEGORIES = 40

#: Kinds of columns that no part gets.
LEFT_OUT = ("constant", "id", "drop")


#: Why a column is of a kind that the user says.
SAID = "as 'kinds' says"


@dataclass
class Column:
    """A column and what is found out about it.

    Parameters
    ----------
    key : str, int or None
        How parts name it: by its name, or by its position where names are no texts; None for an array of
        more than two dimensions, which is one column.
    position : int
    name : str
        In the table of reasons.
    kind : str
        One of :data:`KINDS`.
    reason : str
        Why.
    n_distinct : int, default=0
        Different values among the cells that are there.
    details : dict
        What parts have to know besides: ``plain`` for numbers and truth values as NumPy has them; ``n_numbers`` in a
        text; of dates ``date_format``, ``are_texts`` for what is to be read and ``tz`` where they have several time
        zones; ``items`` for lists; ``words`` for categories that are texts too, and for numbers in texts whose words
        tell something; ``lacks_files`` for paths that lead to no file; ``ordered`` for categories that are whole
        numbers, near ones of which may be alike; ``chars`` for texts without blanks; ``n_terms`` for how many words
        texts have, ``n_characters`` for how long they are on average; ``group`` of columns that name the same things;
        ``channels`` of an array of images.
    """

    key: object
    position: int
    name: str
    kind: str
    reason: str
    n_distinct: int = 0
    details: dict = field(default_factory=dict)

    @property
    def is_used(self):
        """Whether a part gets the column."""
        return self.kind not in LEFT_OUT
