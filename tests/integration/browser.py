"""A page looked at by headless Chromium: what it measures there, and what the console says."""

import html as escaping
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_LOOK = """
<!DOCTYPE html><html><body style="margin:0">
<iframe id="page" width="{width}" height="900" style="border:0" {page}></iframe>
<pre id="seen"></pre>
<script>
const frame = document.getElementById("page");
frame.addEventListener("load", () => setTimeout(() => {{
  const page = frame.contentDocument, root = page.documentElement;
  const box = (node) => node.getBoundingClientRect();
  const links = [...page.querySelectorAll("a[href]")].map((a) => a.getAttribute("href"));
  const scrolls = ".scroll, pre, .equation, .md-search, .md-typeset__scrollwrap, "
    + ".md-typeset table[class]";
  const inside = (node) => node.closest(scrolls) !== null;
  document.getElementById("seen").textContent = JSON.stringify({{
    width: root.clientWidth,
    scroll_width: Math.max(root.scrollWidth, page.body.scrollWidth),
    height: root.scrollHeight,
    images: [...page.images].map((i) => [i.complete ? i.naturalWidth : 0, box(i).width]),
    dead_links: links.filter((l) => !l.startsWith("#") || !page.getElementById(l.slice(1))),
    too_wide: [...page.querySelectorAll("body *")]
      .filter((n) => !inside(n) && box(n).right > root.clientWidth + 1)
      .map((n) => n.tagName + " " + n.textContent.slice(0, 40)),
    text: page.body.innerText.length,
    found: [...page.querySelectorAll(".md-search-result__item h1")].map((n) => n.innerText),
  }});
}}, {wait}));
</script></body></html>
"""


@dataclass(frozen=True)
class Seen:
    """What a browser made of a page."""

    width: int
    scroll_width: int
    height: int
    images: list[list[float]]
    dead_links: list[str]
    too_wide: list[str]
    text: int
    found: list[str]
    console: list[str]


def browser() -> str:
    """The browser of this machine; without one the test is skipped, with the reason."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no browser ({', '.join(_NAMES)}); apt-get install chromium has one")
    return found


def look_at(page: str, width: int, place: Path) -> Seen:
    """Render a page at a width in CSS pixels, as a phone or a desk has it.

    It lies in a frame of that width: a window of headless Chromium is never narrower than 500.
    """
    return _look(f'srcdoc="{escaping.escape(page)}"', width, place, wait=0)


def visit(url: str, width: int, place: Path) -> Seen:
    """Open a page from the disk, and see it after its scripts, search among them, have run."""
    return _look(f'src="{escaping.escape(url)}"', width, place, wait=4000)


def _look(page: str, width: int, place: Path, wait: int) -> Seen:
    file = place / "look.html"
    file.write_text(_LOOK.format(width=width, page=page, wait=wait), encoding="utf-8")
    ended = subprocess.run(
        [
            browser(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--allow-file-access-from-files",
            f"--user-data-dir={place / 'profile'}", "--virtual-time-budget=20000",
            "--enable-logging=stderr", "--log-level=0", "--window-size=1400,1000",
            "--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom", file.as_uri(),
        ],
        capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    (seen,) = re.findall(r'<pre id="seen">(.*?)</pre>', ended.stdout, re.S)
    console = [line for line in ended.stderr.splitlines() if "CONSOLE" in line]
    return Seen(**json.loads(escaping.unescape(seen)), console=console)
