"""The pages of the documentation, as a user reads them."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]
)
NOTEBOOKS = sorted(str(path.relative_to(ROOT)) for path in DOCS.rglob("*.ipynb"))

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def text_of(name):
    """A page; of a notebook its texts."""
    text = (ROOT / name).read_text(encoding="utf-8")
    if name.endswith(".ipynb"):
        cells = json.loads(text)["cells"]
        return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return text


def prose_of(name):
    """A page without its blocks of code."""
    return _FENCE.sub("", text_of(name))


def links_of(name):
    """Where the links and pictures of a page lead."""
    return _LINK.findall(prose_of(name))


def anchors_of(name):
    """Anchors of the headings of a page, as GitHub and Python-Markdown make them."""
    titles = re.findall(r"^#+ (.+)$", prose_of(name), re.MULTILINE)
    plain = [re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in titles]
    kept = [re.sub(r"[^\w\s-]", "", title).strip().lower() for title in plain]
    return {re.sub(r"[\s-]+", "-", title) for title in kept}
