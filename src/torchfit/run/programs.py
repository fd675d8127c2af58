"""The programs of the command, each a task of a Hydra configuration or a function of arguments."""

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from types import MappingProxyType

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.utils import get_method
from omegaconf import DictConfig

from torchfit.run.added_keys import demand_known
from torchfit.run.command import one_line_errors
from torchfit.run.job_name import with_texts
from torchfit.run.plugins import find_other_surveys

_FLAGS_WITH_VALUE = (
    *("--config-dir", "-cd", "--config-name", "-cn", "--config-path", "-cp"),
    *("--cfg", "-c", "--package", "-p", "--info", "-i", "--experimental-rerun"),
)
"""Flags of Hydra that a value follows."""


@dataclass(frozen=True)
class Program:
    """A program: what ``torchfit`` and its help know of it.

    Args:
        summary: What it does, in a line.
        examples: What a user types, each with what comes of it.
        start: Runs it with the arguments that follow its name; ends the process with
            ``SystemExit`` when it fails.
        is_configured: Whether its arguments are Hydra's, who then completes them too.
    """

    summary: str
    examples: Mapping[str, str]
    start: Callable[[Sequence[str]], None]
    is_configured: bool = True


@dataclass(frozen=True)
class Task:
    """What Hydra calls with a composed configuration; a launcher can send it to other machines.

    Args:
        function: Dotted name of a function of the configuration. It is imported when it is
            called: help and shell completion answer without PyTorch.
        started_as: What was typed before the overrides.
    """

    function: str
    started_as: str

    def __call__(self, cfg: DictConfig) -> None:
        """Run the function; an error that a user can mend is one line and exit status 1.

        Args:
            cfg: Composed configuration.
        """
        with one_line_errors():
            demand_known(HydraConfig.get().overrides.task, conf_folder())
            if "command" in cfg:
                cfg.command = shlex.join([*shlex.split(self.started_as), *_config_flags()])
            get_method(self.function)(cfg)


def conf_folder() -> Path:
    """Folder of the configuration: inside the package, or at the top of a checkout.

    Returns:
        The folder ``conf``.
    """
    package = Path(__file__).resolve().parents[1]
    inside = package / "conf"
    return inside if inside.is_dir() else package.parents[1] / "conf"


def started_as(name: str) -> str:
    """Say what was typed before the arguments: the command, its module, or a file of a checkout.

    Args:
        name: Name of the program.

    Returns:
        Some words.
    """
    script = Path(sys.argv[0])
    if script.name == "__main__.py":
        return f"python -m torchfit {name}"
    return f"python {script.name}" if script.suffix == ".py" else f"torchfit {name}"


def run_task(name: str, arguments: Sequence[str]) -> None:
    """Run a task as Hydra does: compose its configuration, make its folder, sweep, complete.

    Args:
        name: Name of the task, of its module in :mod:`torchfit.run`, and of its configuration.
        arguments: Overrides and Hydra's own flags.

    Raises:
        SystemExit: With status 1 and a line on standard error, if an error can be mended.
    """
    task = Task(f"torchfit.run.{name}.{name}", started_as(name))
    main = hydra.main(version_base=None, config_path=str(conf_folder()), config_name=name)
    with one_line_errors(), _arguments(arguments):
        find_other_surveys()
        main(task)()


def run_function(function: str, arguments: Sequence[str]) -> None:
    """Run a program of plain arguments.

    Args:
        function: Dotted name of a function of the arguments, imported when it is called.
        arguments: What follows the program's name.
    """
    get_method(function)(arguments)


PROGRAMS: Mapping[str, Program] = MappingProxyType(
    {
        "train": Program(
            "make a spectral emulator from a library of labelled stars",
            {"torchfit train": "945 stars of MILES, from the package index"},
            partial(run_task, "train"),
        ),
        "infer": Program(
            "measure the spectra of a survey with it, and write their catalogue",
            {
                "torchfit infer": "255 real stars of STELIB",
                "torchfit infer data=lamost_dr10 data.root=FOLDER": "a tree of LAMOST files",
            },
            partial(run_task, "infer"),
        ),
        "validate": Program(
            "join, flag, select and compare once more from a finished catalogue",
            {"torchfit validate results=outputs/infer/stelib": "the catalogue of STELIB"},
            partial(run_task, "validate"),
        ),
        "library": Program(
            "coadd the good stars of a measured survey into a library to train on",
            {"torchfit library results=outputs/infer/lamost_dr10": "templates by bins of labels"},
            partial(run_task, "library"),
        ),
        "reproduce": Program(
            "make the figures and tables of the paper, with its numbers beside ours",
            {
                "torchfit reproduce": "all of them, from mock stars",
                "torchfit reproduce 'figure=[fig03,fig09]'": "some of them",
            },
            partial(run_task, "reproduce"),
        ),
        "fit": Program(
            "print the labels of single spectra",
            {"torchfit fit FILE": "of any file that specutils reads"},
            partial(run_function, "torchfit.face.program.main"),
            is_configured=False,
        ),
    }
)
"""The programs by name."""


def _config_flags() -> list[str]:
    """Hydra's flags that add to the configuration, which are no overrides."""
    sources = HydraConfig.get().runtime.config_sources
    folders = [source.path for source in sources if source.provider == "command-line"]
    return [word for folder in folders for word in ("--config-dir", folder)]


def overrides_first(arguments: Sequence[str]) -> list[str]:
    """Put overrides before flags: Hydra takes overrides on both sides of a flag for a mistake.

    Args:
        arguments: Overrides and flags as they were typed.

    Returns:
        The same, each flag followed by its value.
    """
    overrides, flags, words = [], [], iter(arguments)
    for word in words:
        if word.startswith("-"):
            flags += [word, *islice(words, int(word in _FLAGS_WITH_VALUE))]
        else:
            overrides.append(word)
    return overrides + flags


@contextmanager
def _arguments(arguments: Sequence[str]) -> Iterator[None]:
    """Give arguments to Hydra, which looks for them where the interpreter keeps them."""
    before = sys.argv
    sys.argv = [before[0], *overrides_first(with_texts(arguments))]
    try:
        yield
    finally:
        sys.argv = before
