"""Files at the top of the repository as pages of the site."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


def page(name: str) -> str:
    """A file as a page.

    Args:
        name: ``CHANGELOG.md``.

    Returns:
        Its text, with links to pages of the site; links to other files become their text.
    """
    return _LINK.sub(_link, (ROOT / name).read_text(encoding="utf-8"))


def _link(found: re.Match[str]) -> str:
    text, target = found.groups()
    if "://" in target or target.startswith("#"):
        return found[0]
    return f"[{text}]({target.removeprefix('docs/')})" if target.startswith("docs/") else text
