"""Notebooks as pages of the site."""

from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter


def to_page(path: Path) -> tuple[str, dict[str, bytes]]:
    """Turn a notebook, with the outputs that it holds, into Markdown.

    Args:
        path: The notebook.

    Returns:
        The page, and its pictures by name.
    """
    notebook = nbformat.read(path, as_version=4)
    names = {"output_files_dir": f"{path.stem}_files", "unique_key": "figure"}
    text, found = MarkdownExporter().from_notebook_node(notebook, resources=names)
    head, _, rest = text.lstrip().partition("\n")
    link = f"[This page as a notebook]({path.name}){{ download='{path.name}' }}"
    return f"{head}\n\n{link}\n{rest}", found["outputs"]
