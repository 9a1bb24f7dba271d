"""What a person may have meant who wrote a word that nobody knows."""

from collections.abc import Iterable


def meant(word: str, known: Iterable[str], least: float = 0.6) -> str | None:
    """The known word that is most like it; None where none is. `least`: how like, 0 to 1."""
    import difflib  # where nothing is written wrongly nobody needs it

    return next(iter(difflib.get_close_matches(word, list(known), 1, least)), None)
