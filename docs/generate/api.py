"""Pages of the API: the public names, and the modules of every step."""

import inspect
from pathlib import Path

import torchfit

SOURCE = Path(torchfit.__file__).parent
PUBLIC = [name for name in torchfit.__all__ if not name.startswith("_")]


def packages() -> list[str]:
    """Folders of the package, but for that of the public names."""
    return sorted({path.parent.name for path in SOURCE.glob("*/__init__.py")} - {"face"})


def public_page() -> str:
    """What ``import torchfit as tf`` gives."""
    parts = ["# Public names", "`import torchfit as tf` gives these, and they stay: see"]
    parts[-1] += " [what may change](../contributing.md#what-may-change)."
    for name in PUBLIC:
        target = getattr(torchfit, name)
        parts.append(f"## tf.{name}\n\n::: {target.__module__}.{target.__name__}")
        parts[-1] += "\n    options:\n      show_root_heading: false\n      heading_level: 3"
    return "\n\n".join(parts) + "\n"


def package_page(package: str) -> str:
    """The modules of a folder."""
    names = sorted(_module(path) for path in (SOURCE / package).rglob("*.py"))
    whole, *modules = [name.removesuffix(".__init__") for name in names]
    text = inspect.getdoc(__import__(whole, fromlist=["__doc__"])) or ""
    parts = [f"# {package}", text, *(f"::: {name}" for name in modules)]
    return "\n\n".join(parts) + "\n"


def _module(path: Path) -> str:
    return ".".join(["torchfit", *path.relative_to(SOURCE).with_suffix("").parts])
