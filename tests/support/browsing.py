"""Debian's Chromium, watched: console errors, requests to other hosts, width, missing glyphs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

PROGRAM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

_MISSING = """() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 40;
  const context = canvas.getContext("2d", {willReadFrequently: true});
  const drawn = (text, font) => {
    context.clearRect(0, 0, 40, 40);
    context.font = font;
    context.fillText(text, 4, 30);
    return context.getImageData(0, 0, 40, 40).data.join();
  };
  const seen = new Set(), tofus = {};
  const nobody = String.fromCodePoint(0x0378);  // unassigned: no font has it
  const missing = new Set(), walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const style = getComputedStyle(walker.currentNode.parentElement);
    const font = `${style.fontWeight} 24px ${style.fontFamily}`;
    const tofu = tofus[font] ??= drawn(nobody, font);
    for (const letter of walker.currentNode.textContent.replaceAll(/\\s/g, "")) {
      if (seen.has(letter + font)) continue;
      seen.add(letter + font);
      if (drawn(letter, font) === tofu) missing.add(letter);
    }
  }
  return [...missing];
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A page of which `trouble` lists what went wrong, as long as it is open."""

    def __init__(self, browser: Browser, width: int = 1440, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        self.page: Page = self.context.new_page()
        self.trouble: list[str] = []
        self.page.on("console", self._told)
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on("request", self._asked)

    def open(self, url: str) -> Page:
        """Load a page; requests to any other host are trouble from now on."""
        self._home = "/".join(url.split("/")[:3])
        self.page.goto(url)
        return self.page

    def missing_glyphs(self) -> list[str]:
        """Characters of the page that no font has: drawn like one that nobody has."""
        found: list[str] = self.page.evaluate(_MISSING)
        return found

    def sideways(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    def _told(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.trouble.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self._home, "data:")):
            self.trouble.append(f"asked another host: {request.url}")
