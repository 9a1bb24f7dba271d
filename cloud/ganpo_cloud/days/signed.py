"""What a person says in a command, for what is stored in his name: why, and who he is."""

from ganpo_model.errors import ConfigError

LONGEST = 500
"""Letters."""


def one_line(where: str, text: str, missing: str) -> str:
    """One line of text. Raises ConfigError: it is empty, and then told is what is `missing`, or it is no line."""
    if not text.strip():
        raise ConfigError(missing, where=where)
    if len(text) > LONGEST or not text.isprintable():
        raise ConfigError(f"one line of at most {LONGEST} letters, without control characters", where=where)
    return text.strip()
