"""English numbers: sources count in the plural, `{} points`, and what is told of one says `1 point`."""

import re

_NOUNS = (
    "area, attempt, bit, browse path, byte, cell, character, check, column, command, connection, count, "
    "day, device, digit, dimension, element, enterprise, error, event, fact, file, frame, gap, gateway, "
    "hour, letter, level, line, machine, mark, meter, minute, mistake, monitored item, month, node, part, "
    "point, port, profile, question, range, record, register, request, row, run, second, sheet, shift, "
    "sign, site, table, tag, task, thing, time, unit, value, waiting frame, warning, year"
)
"""What our sentences count. None that is a verb beside the name of something: unit 1 answers."""
_COUNTED = {
    **{f"{noun}s": noun for noun in _NOUNS.split(", ")},
    "addresses": "address",
    "answers to": "answer to",
    "batches": "batch",
    "entries": "entry",
    "lines more": "line more",
}
_VERBS = {verb: f"{verb}s" for verb in ("answer", "ask", "lack", "name", "need", "say", "stand", "wait")}
_IS = {"are": "is", "were": "was", "have": "has"}
_DONE = {**_VERBS, **_IS, "apply": "applies", "do": "does", "match": "matches"}
"""What they do or are, where that follows."""
_NAMED = "unit row line page sheet version port phase address channel register from"
"""Behind these 1 is a name."""
_BARE = "1" + "".join(rf"(?<!{word} 1)" for word in _NAMED.split()) + r"(?<![\w.,:/+-]1)"
"""What stands before it is looked at behind it: a pattern that begins with a sign is found at once."""
_MANY = "|".join(sorted(_COUNTED, key=len, reverse=True))
_ONE = re.compile(rf"({_BARE}(?:</\w+>)*(?: of [\d,]+)?) ({_MANY})(?: ({'|'.join(_DONE)}))?(?!\w)")
_ALONE = re.compile(rf"{_BARE} ({'|'.join(_IS)})(?!\w)")


def agreed(text: str) -> str:
    """The text, in which one is not many: `1 frames wait` is `1 frame waits`, `1 of 3 machines are read` `is read`."""
    return _ALONE.sub(lambda match: f"1 {_DONE[match[1]]}", _ONE.sub(_singular, text))


def _singular(match: re.Match[str]) -> str:
    number, noun, verb = match.groups()
    of_many = " of " in number and not number.endswith(" of 1")
    said = f"{number} {noun if of_many else _COUNTED[noun]}"
    return said + (f" {_DONE[verb]}" if verb else "")
