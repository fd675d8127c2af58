"""Commands that a page, or a help text, tells a user to type."""

import functools
import re
import shlex

from hydra import compose, initialize_config_dir

from torchfit.run.programs import PROGRAMS, conf_folder

TASKS = [name for name, program in PROGRAMS.items() if program.is_configured]
"""Programs whose arguments are overrides of a configuration."""

FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(torchfit [^`]+)`")


def demand_composes(name, overrides):
    """Compose what was typed; the first value stands for all those of a sweep."""
    plain = [o.partition(",")[0] if "-m" in overrides else o for o in overrides if o != "-m"]
    _compose(name, tuple(plain))


@functools.cache
def _compose(name, overrides):
    with initialize_config_dir(str(conf_folder()), version_base=None):
        compose(name, list(overrides))


def shell_lines(page):
    """Lines of the fences that are a shell's: those without a language, and ``sh``."""
    blocks = [block for language, block in FENCE.findall(page) if language in ("", "sh")]
    return "".join(blocks).replace("\\\n", " ").splitlines()


def typed(page):
    """Every command in fences and between backticks, without remarks, as its words."""
    lines = [re.split(r"(?:^| )#", line)[0] for line in shell_lines(page)]
    parts = [part for line in lines for part in re.split(r"&&|\|\|", line)]
    inline = [" ".join(each.split()) for each in _INLINE.findall(FENCE.sub("", page))]
    return [shlex.split(part) for part in [*parts, *inline] if part.strip()]


def tasks_typed(page):
    """Programs with their overrides, but for flags and for folders of options that nobody has."""
    found = []
    for words in typed(page):
        if "torchfit" not in words:
            continue
        _, *rest = words[words.index("torchfit") :]
        theirs = "--config-dir" in rest or any(word.endswith("=NAME") for word in rest)
        if rest and rest[0] in TASKS and not theirs:
            # Launchers are packages of their own.
            plain = [w for w in rest[1:] if w == "-m" or not w.startswith(("-", "hydra"))]
            found.append((rest[0], plain if "--cfg" not in rest else plain[:-1]))
    return found
