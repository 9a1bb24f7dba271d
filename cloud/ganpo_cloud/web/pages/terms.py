"""The six words of onboarding, each a link to what it means, wherever a page says it (onboarding.md). Pure."""

import re
from collections.abc import Mapping

TERMS: Mapping[str, Mapping[str, str]] = {
    "registered": {"zh": "已?建档", "en": r"(?<!not )(?<!nothing )(?<!is )\b[Rr]egistered\b"},
    "networked": {"zh": "(?<!接)入网", "en": r"\b[Oo]n(?:to)? the network\b|\b[Nn]etworked\b"},
    "cloud": {"zh": "上云", "en": r"\b[Ii]n(?:to)? the cloud\b"},
    "active": {"zh": "活跃", "en": r"\b[Aa]ctive\b"},
    "silent": {"zh": "静默", "en": r"\b[Ss]ilent\b(?! units)"},
    "gone": {"zh": "长期离线", "en": r"\b[Ll]ong offline\b"},
}
"""By the anchor behind `term-` on the page of definitions: how a language says it."""
_WHOLE = ("a", "button", "option", "summary", "svg", "code", "script", "style", "title")
"""What is inside one of these stays as it is: it is a link already, or no text."""
_AGAIN = ("section", "h2", "table")
"""Where one of these begins a word is a link again; in between once is enough."""
_TAG = r"<(?P<close>/?)(?P<tag>[a-z][a-z0-9]*)[^>]*?(?P<empty>/?)>"
_FOUND = {
    lang: re.compile("|".join([_TAG, *(f"(?P<{term}>{said[lang]})" for term, said in TERMS.items())]))
    for lang in ("zh", "en")
}


def terms(html: str, lang: str) -> str:
    """A page, or a part of one, with the words as links."""
    inside, seen = 0, set[str]()

    def link(found: re.Match[str]) -> str:
        nonlocal inside
        text = found[0]
        if (tag := found["tag"]) is not None:
            seen.update(term for term in TERMS if f'#term-{term}"' in text)
            if tag in _WHOLE and not found["empty"]:
                inside += -1 if found["close"] else 1
            elif tag in _AGAIN and not found["close"]:
                seen.clear()
            return text
        term = found.lastgroup or ""
        if inside or term in seen:
            return text
        seen.add(term)
        return f'<a class="term" href="/definitions?lang={lang}#term-{term}">{text}</a>'

    return _FOUND[lang].sub(link, html)
