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
_TAGS = re.compile(r"(<[^>]*>)")
_NAME = re.compile(r"</?([a-z][a-z0-9]*)")
_WORDS = {
    lang: re.compile("|".join(f"(?P<{term}>{said[lang]})" for term, said in TERMS.items()))
    for lang in ("zh", "en")
}


def terms(html: str, lang: str) -> str:
    """A page, or a part of one, with the words as links. Texts and tags stand by turns, a text first."""
    inside, seen, search = 0, set[str](), _WORDS[lang].search

    def link(found: re.Match[str]) -> str:
        term = found.lastgroup or ""
        if term in seen:
            return found[0]
        seen.add(term)
        return f'<a class="term" href="/definitions?lang={lang}#term-{term}">{found[0]}</a>'

    parts = _TAGS.split(html)
    for at, part in enumerate(parts):
        if at % 2:
            name = _NAME.match(part)
            if name is None:
                continue
            if name[1] in _WHOLE and not part.endswith("/>"):
                inside += -1 if part[1] == "/" else 1
                if "#term-" in part:
                    seen.update(term for term in TERMS if f'#term-{term}"' in part)
            elif name[1] in _AGAIN and part[1] != "/":
                seen.clear()
        elif not inside and search(part):
            parts[at] = _WORDS[lang].sub(link, part)
    return "".join(parts)
