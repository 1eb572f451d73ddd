"""Descriptions of drawn houses: a small grammar whose words tell how good things are."""

# From the worst to the best; a phrase is chosen by quality, its wording by chance.
_VIEW = (
    ("the windows look onto a busy road", "it faces a parking lot", "there is a highway right behind the fence"),
    ("it looks onto the neighbouring houses", "the street in front is ordinary", "the view is nothing special"),
    ("it looks onto quiet gardens", "there are trees in front of the windows", "it faces a small park"),
    ("it has a lovely view over the valley", "you look far over the hills", "it overlooks the golf course"),
    ("it has breathtaking ocean views", "the panoramic view reaches the sea", "you wake up to a spectacular skyline"),
)
_RENOVATION = (
    ("a fixer-upper sold as is", "wiring and plumbing need work", "bring your own contractor"),
    ("much of it is original and dated", "it was last updated decades ago", "some systems are near their end"),
    ("it has been maintained regularly", "the heating was replaced some years ago", "it is well kept inside"),
    ("it was recently updated throughout", "roof and windows are nearly new", "the owners have remodeled it"),
    ("it was rebuilt from the studs last year", "everything is brand new", "a complete designer renovation"),
)
_OPENINGS = (
    "Welcome to this {kind}",
    "Come and see this {kind}",
    "Now on the market: a {kind}",
    "This {kind} is for sale",
)
_KINDS = ("home", "house", "residence", "single-family home", "property")
# Say nothing about the price, as half of a real listing does.
_FILLERS = (
    "shown by appointment only",
    "close to schools and shops",
    "contact the agent for details",
    "the seller is flexible with the closing date",
    "bring all offers",
    "the neighbours are friendly",
)


def describe_house(house, rng):
    """Describe a house in a few sentences.

    Parameters
    ----------
    house : mapping
        Its hidden factors; only ``view`` and ``renovation``, from 0 to 1, enter.
    rng : numpy.random.Generator
        Chooses the wording and the order of the sentences.

    Returns
    -------
    description : str
        One line.
    """
    sentences = [
        _pick(_grade(_VIEW, house["view"]), rng),
        _pick(_grade(_RENOVATION, house["renovation"]), rng),
        _pick(_FILLERS, rng),
    ]
    rng.shuffle(sentences)
    opening = _pick(_OPENINGS, rng).format(kind=_pick(_KINDS, rng))
    return " ".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in (opening, *sentences))


def _grade(ladder, quality):
    return ladder[min(int(quality * len(ladder)), len(ladder) - 1)]


def _pick(phrases, rng):
    return phrases[rng.integers(len(phrases))]
