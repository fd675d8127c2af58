"""What mkdocs calls while it builds the site: pages and tables from the code are put in."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from generate import api, configuration, repository, schema
from generate.equations import with_mathml
from generate.notebooks import to_page

TABLES: dict[str, Callable[[], str]] = {
    "columns": schema.column_table,
    "paper columns": schema.paper_table,
    "flags": schema.flag_table,
    "exceptions": schema.exception_table,
    "configuration": configuration.overview,
}
"""What a page shows in place of ``<!-- generated: NAME -->``; ``data=sdss`` shows an option."""

_PLACE = re.compile(r"<!-- generated: ([\w ]+)(?:=(\w+))? -->")
DOCS = Path(__file__).parent
_NOTEBOOK = re.compile(r"\.ipynb\)(?!\{)")


def pages() -> dict[str, str]:
    """Pages that no file of docs/ holds, by their address."""
    return {
        "contributing.md": repository.page("CONTRIBUTING.md"),
        "changelog.md": repository.page("CHANGELOG.md"),
        "api/public.md": api.public_page(),
        **{f"api/{name}.md": api.package_page(name) for name in api.packages()},
        **{f"configuration/{name}.md": configuration.page(name) for name in configuration.groups()},
    }


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List what the navigation does not name: generated pages, and new ones at the end."""
    for part in config.nav or []:
        (title, pages), *_ = part.items()
        if isinstance(pages[-1], str) and pages[-1].endswith("/"):
            part[title] = pages[:-1] + _listed(pages[-1], str(config.nav))
    return config


def _listed(folder: str, named: str) -> list[str] | list[dict[str, str]]:
    if folder == "./":
        return [path.name for path in sorted(DOCS.glob("*.md")) if path.name not in named]
    names = configuration.groups() if folder == "configuration/" else api.packages()
    return [{name: f"{folder}{name}.md"} for name in names]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from the code, and those of the notebooks."""
    for address, text in pages().items():
        files.append(File.generated(config, address, content=text))
    for file in [each for each in files if each.src_uri.endswith(".ipynb")]:
        text, pictures = to_page(Path(file.abs_src_path or ""))
        files.append(File.generated(config, f"{file.src_uri[:-6]}.md", content=text))
        folder = file.src_uri.rpartition("/")[0]
        for name, content in pictures.items():
            files.append(File.generated(config, f"{folder}/{name}", content=content))
    return files


def on_page_markdown(markdown: str, **unused: Any) -> str:
    """Put tables where a page asks for them; a link to a notebook leads to its page."""
    return _PLACE.sub(_generated, _NOTEBOOK.sub(".md)", markdown))


def _generated(found: re.Match[str]) -> str:
    name, option = found.groups()
    if option is None:
        return TABLES[name]()
    whole = f"../configuration/{name}.md#{name}-{option}"
    return f"{configuration.body(name, option)}\n\nWhole: [{name}={option}]({whole})."


def on_page_content(html: str, **unused: Any) -> str:
    """Turn equations into what a browser draws."""
    return with_mathml(html)
