"""The words of onboarding are links wherever they stand in a text, and nowhere else."""

import re

from ganpo_cloud.web.pages.terms import TERMS, terms

HTML = (
    '<section aria-label="静默"><h2>入网上云</h2><p>静默3台，静默；长期离线</p><a href="/x">活跃 <b>静默</b></a>'
    "<select><option>已上云</option></select><svg><text>入网</text></svg><br></section>"
    "<section><p>静默 <code>上云</code></p></section>"
)


def test_a_word_is_one_link_in_each_part_and_what_is_a_link_or_no_text_stays() -> None:
    found = terms(HTML, "zh")
    assert re.findall(r"#term-(\w+)", found) == ["networked", "cloud", "silent", "gone", "silent"]
    assert re.sub(r'<a class="term"[^>]*>(.*?)</a>', r"\1", found) == HTML
    assert terms(found, "zh") == found, "and what is marked twice is marked once"
    assert terms("未接入网关", "zh") == "未接入网关", "another word"
    assert '<a href="/x">活跃 <b>静默</b></a>' in found


def test_english_links_what_it_means_and_not_what_only_reads_alike() -> None:
    text = "<p>12 registered enterprises, 3 onto the network, in the cloud, active, silent, long offline</p>"
    assert re.findall(r"#term-(\w+)", terms(text, "en")) == list(TERMS)
    plain = "<p>It is not registered. silent units: 3. reactive. cloud</p>"
    assert terms(plain, "en") == plain
