"""Pages lead somewhere, and the Chinese README says what the English one says."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    page
    for page in sorted(ROOT.rglob("*.md"))
    if not any(
        part.startswith(".") or part in ("node_modules", "build") for part in page.relative_to(ROOT).parts
    )
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not re.match(r"[a-z]+:|#", target):
            assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize(
    "area", ["model", "drivers", "config", "agent", "cloud", "demo", "systemd", "bench", "tests"]
)
def test_an_area_says_what_lives_there(area: str) -> None:
    assert (ROOT / area / "README.md").read_text().startswith("# ")


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\((\d{4}-[^)]+)\)", (folder / "README.md").read_text())
    assert listed == sorted(page.name for page in folder.glob("[0-9]*.md"))


def test_the_two_readmes_have_the_same_parts() -> None:
    def parts(name: str) -> tuple[int, list[str], list[str]]:
        text = (ROOT / name).read_text()
        links = sorted(set(re.findall(r"\]\(([^)\s]+)\)", text)) - {"README.md", "README.zh-CN.md"})
        return (
            len(re.findall(r"^## ", text, re.MULTILINE)),
            re.findall(r"^```(?:sh)?$", text, re.MULTILINE),
            links,
        )

    assert parts("README.md") == parts("README.zh-CN.md")
