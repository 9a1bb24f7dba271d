"""What a page says, as a person reads it."""

import html
import re


def text_of(page: str) -> str:
    """Its text without marks and drawings; one blank where an element ends."""
    told = re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)
    told = re.sub(r'<span class="nw">([^<]*/)</span>', r"\1", told)  # the name of a point is one word
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", told)))
