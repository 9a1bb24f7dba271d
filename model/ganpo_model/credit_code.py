"""The unified social credit code of an enterprise, with both of its check characters (GB 32100-2015, GB 11714)."""

from ganpo_model import tables

_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = tuple(pow(3, n, 31) for n in range(17))
_ORGANISATION = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def wrong(code: str) -> str | None:
    """What is wrong with a credit code, or None. A sum divisible by 31 (or 11) has the check character 0."""
    if any("\uff01" <= sign <= "\uff5e" for sign in code):
        return "full-width characters: switch the input method to half-width"
    if tables.numbered(code):
        return f"{tables.NUMBERED}: {tables.AS_TEXT}"
    if len(code) != 18:
        return f"{len(code)} characters: a unified social credit code has 18"
    for place, sign in enumerate(code, start=1):
        if sign not in _SIGNS:
            told = "lower case" if sign.upper() in _SIGNS else "none of 0-9 and A-Z without I, O, S, V, Z"
            return f"character {place}, {sign!r}: {told}"
    if not code[2:8].isdigit():
        return "characters 3 to 8 are the number of an area"
    if (right := _check(code)) != code[17]:
        return f"its check character is {code[17]} and would have to be {right}: a typing error?"
    if code[16] != _organisation_check(code):
        return "the check character of its organisation code (the 17th) does not fit: a typing error?"
    return None


def completed(begin: str) -> str:
    """The first 16 characters with both check characters. Raises ValueError for a character that no code has."""
    code = begin + _organisation_check(begin)
    return code + _check(code)


def _check(code: str) -> str:
    total = sum(weight * _SIGNS.index(sign) for weight, sign in zip(_WEIGHTS, code, strict=False))
    return _SIGNS[-total % 31]


def _organisation_check(code: str) -> str:
    part = zip(_ORGANISATION_WEIGHTS, code[8:16], strict=True)
    rest = -sum(weight * _ORGANISATION.index(sign) for weight, sign in part) % 11
    return "X" if rest == 10 else str(rest)
