"""The documentation as a site: `python -m deploy.docs.site --to build/site`. Nothing is fetched.

The pages lie as in the repository, so that their links hold, with what is written from the code beside them. In Chinese
`docs/NAME.md` is `docs/zh/NAME.md`; where that is not there, the English page stands in its place.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from deploy.docs import recipes, reference
from deploy.packing import ROOT

from ganpo_config.profile_text import device_of
from ganpo_config.profiles import Profiles

AREAS = (
    "docs",
    "systemd",
    "deploy",
    "model",
    "service",
    "drivers",
    "config",
    "agent",
    "cloud",
    "demo",
    "bench",
    "tests",
)
_FETCHED = re.compile(r'<script src="?https?://[^>]*></script>')
"""What the theme has for search in pages that lie as files: without internet nobody gets it. Ours lies beside."""
_SEARCH = Path(__file__).with_name("search-in-files.js")
_LINK = re.compile(r"(?<=\]\()([^)#\s]+)(?=[)#\s])")
ZH = "zh"


def tree(to: Path) -> None:
    """Every page, and every file that one links to."""
    pages = [*ROOT.glob("*.md"), *(page for area in AREAS for page in (ROOT / area).rglob("*.md"))]
    for page in pages:
        if "node_modules" in page.parts:
            continue
        english = _english(page)
        suffix = ".md" if english == page else f".{ZH}.md"

        def led(found: re.Match[str], page: Path = page, english: Path = english) -> str:
            target = Path(os.path.normpath(page.parent / found[1]))
            if "://" in found[1] or not target.is_relative_to(ROOT):
                return found[1]
            if target.is_file() and target.suffix != ".md":
                there = to / target.relative_to(ROOT)
                there.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(target, there)
            return os.path.relpath(_english(target), english.parent)

        place = english.relative_to(ROOT).with_suffix(suffix)
        _put(to / place, _LINK.sub(led, page.read_text()))
    for name, text in reference.pages().items():
        _put(to / "docs/reference" / name, text)
    for profile in Profiles(Path("nowhere")).values():
        _put(to / f"docs/recipes/{profile.id}.md", recipes.page(profile, "en"))
        _put(to / f"docs/recipes/{profile.id}.{ZH}.md", recipes.page(profile, "zh"))


def _english(page: Path) -> Path:
    """What this page is the Chinese of, or the page itself. Links lead there: the site finds the language."""
    if page.is_relative_to(ROOT / "docs" / ZH):
        return ROOT / "docs" / page.relative_to(ROOT / "docs" / ZH)
    return page.with_name(page.name.replace(".zh-CN.md", ".md"))


def navigation() -> list[Any]:
    """What stands at the left: four parts."""
    profiles = sorted(Profiles(Path("nowhere")).values(), key=lambda one: (device_of(one).casefold(), one.id))
    devices = [{device_of(one) or one.title.en: f"docs/recipes/{one.id}.md"} for one in profiles]
    return [
        {
            "Get started": [
                "README.md",
                *_docs("afternoon", "gateway", "lists", "collector", "broker", "opcua"),
                "systemd/README.md",
            ]
        },
        {"Recipes by device": ["docs/devices.md", *devices]},
        {
            "Reference": [
                *_docs("configuration", "errors", "mistakes", "metrics", "gateway-api"),
                *(f"docs/reference/{name}" for name in sorted(reference.pages())),
            ]
        },
        {
            "Changing Ganpo": [
                *_docs("changing", "drivers"),
                "CONTRIBUTING.md",
                "docs/decisions/README.md",
                "CHANGELOG.md",
            ]
        },
    ]


def _docs(*names: str) -> Iterator[str]:
    """Those that there are."""
    return (f"docs/{name}.md" for name in names if (ROOT / "docs" / f"{name}.md").exists())


def configuration(pages: Path, to: Path, nav: Iterable[Any]) -> dict[str, Any]:
    """Of mkdocs."""
    return {
        "site_name": "Ganpo",
        "docs_dir": str(pages),
        "site_dir": str(to),
        "use_directory_urls": False,
        "nav": list(nav),
        "theme": {
            "name": "material",
            "font": False,
            "features": ["navigation.tabs", "navigation.indexes", "search.highlight", "content.code.copy"],
        },
        "plugins": [
            {"search": {"lang": ["en", "zh"], "separator": r"[\s\u200b\-]+"}},
            "offline",
            {
                "i18n": {
                    "docs_structure": "suffix",
                    "fallback_to_default": True,
                    "languages": [
                        {"locale": "en", "name": "English", "default": True, "build": True},
                        {
                            "locale": ZH,
                            "name": "中文",
                            "build": True,
                            "nav_translations": {
                                "Get started": "开始使用",
                                "Recipes by device": "按设备查",
                                "Reference": "参考",
                                "Changing Ganpo": "修改赣鄱",
                            },
                        },
                    ],
                }
            },
        ],
        "markdown_extensions": [
            "tables",
            "attr_list",
            {"toc": {"permalink": True}},
            "pymdownx.highlight",
            "pymdownx.superfences",
        ],
        "validation": {"nav": {"omitted_files": "ignore"}, "links": {"anchors": "ignore"}},
    }


def build(to: Path) -> None:
    """Strict: a link into nothing ends it. Raises SystemExit."""
    with tempfile.TemporaryDirectory(prefix="ganpo-docs-") as name:
        pages = Path(name, "pages")
        tree(pages)
        config = Path(name, "mkdocs.yml")
        config.write_text(
            yaml.safe_dump(
                configuration(pages, to.resolve(), navigation()), allow_unicode=True, sort_keys=False
            )
        )
        words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-f", str(config)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
    for page in to.rglob("*.html"):
        ours = "../" * (len(page.relative_to(to).parts) - 1) + f"assets/{_SEARCH.name}"
        page.write_text(_FETCHED.sub(f'<script src="{ours}"></script>', page.read_text()))
    shutil.copy(_SEARCH, to / "assets")


def _put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def main() -> None:
    """Print where it begins."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "site")
    asked = parser.parse_args()
    build(asked.to)
    print(asked.to / "index.html")


if __name__ == "__main__":
    main()
