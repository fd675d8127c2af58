"""Names on the command line: folders of a sweep's jobs, and text that looks like a number."""

import hashlib
import re
from collections.abc import Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf

_LONGEST = 80
_TEXTS = ("artefact", "results", "name", "hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir")
"""Keys whose values are text, whatever they look like; those of a constructor say so themselves."""


def folder_name(overrides: str) -> str:
    """Name the folder of a job after its overrides: short, flat, and of this job alone.

    Args:
        overrides: ``key=value`` joined by commas, as Hydra writes them.

    Returns:
        The overrides themselves if they can name a folder; else their readable rest, with a hash
        of the whole behind it.
    """
    without_folders = re.sub(r"(?<==)[^,=]*/(?=[^,/]*)", "", overrides)
    flat = re.sub(r"[^\w.,=+-]", "_", without_folders)
    if flat == overrides and len(flat.encode()) <= _LONGEST and not flat.startswith("."):
        return flat
    sign = hashlib.sha256(overrides.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    ascii_only = flat.encode("ascii", "replace").decode().replace("?", "_")
    return f"{ascii_only[:_LONGEST].strip('.,')}-{sign}"


OmegaConf.register_new_resolver("folder_name", folder_name, replace=True)


def with_texts(arguments: Sequence[str]) -> list[str]:
    """Quote what is text and looks like a number: ``artefact=2020_01``.

    Args:
        arguments: The command line.

    Returns:
        The same, in Hydra's spelling.
    """
    return [_quoted(word) for word in arguments]


def _quoted(word: str) -> str:
    key, equals, value = word.partition("=")
    if not equals or key.lstrip("+") not in _TEXTS:
        return word
    return f"{key}={','.join(_text(part) for part in value.split(','))}"


def _text(value: str) -> str:
    """A value in quotes if Hydra would take it for something else than text."""
    try:
        found = OverridesParser.create().parse_override(f"key={value}").value()
    except HydraException:
        return value
    simple = found is None or isinstance(found, bool | int | float)
    return f"'{value}'" if simple and value else value
