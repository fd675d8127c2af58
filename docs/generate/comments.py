"""Comments of a configuration file: what stands above a key belongs to it."""

import re
from pathlib import Path

_KEY = re.compile(r"^( *)([\w.]+):")


def comments(path: Path) -> dict[str, str]:
    """Read the comments of a YAML file.

    Args:
        path: The file.

    Returns:
        Comment by key, ``nuisance.continuum_sigma``; that at the top of the file under ``""``.
    """
    found: dict[str, str] = {}
    above: list[str] = []
    keys: list[tuple[int, str]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip().startswith("#"):
            above.append(line.strip().lstrip("# "))
            continue
        key = _KEY.match(line)
        if key is None and above and not found:
            found[""] = " ".join(above)
        if key is not None:
            depth = len(key[1])
            keys = [*(each for each in keys if each[0] < depth), (depth, key[2])]
            name = ".".join(each for _, each in keys) if found or not above else ""
            found.setdefault(name, " ".join(above))
        above = []
    return found
