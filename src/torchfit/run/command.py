"""What the command line owes its user: an error in one line, and an exit status."""

import errno
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import singledispatch
from importlib import resources
from pathlib import Path

from hydra.errors import (
    CompactHydraException,
    ConfigCompositionException,
    InstantiationException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from torchfit.exceptions import TorchfitError
from torchfit.run.environment import mend_environment
from torchfit.run.signals import ending_on_signals

MENDABLE = (TorchfitError, CompactHydraException, OmegaConfBaseException, OSError)
"""Errors of input, configuration, or a full disk: what a user can mend."""

_UNKNOWN_PARAMETER = re.compile(
    r"target '(\S+)'.* unexpected keyword argument '(\w+)'.* full_key: (\S+)"
)
"""What Hydra says of a key that is no parameter of the class it belongs to."""


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn an error that a user can mend into one line on standard error and exit status 1.

    It stands twice in a program: around the program, for errors in composing the configuration,
    and around its task, to whose errors Hydra would add a line. Other errors keep their
    traceback; HYDRA_FULL_ERROR=0 gives the first ones in Hydra's own words.

    Yields:
        Nothing.
    """
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    mend_environment()
    try:
        with ending_on_signals():
            yield
    except MENDABLE as error:
        _fail(one_line(error))
    except Exception as error:
        line = _of_the_log(error) or _of_a_process(error)
        if not line:
            raise
        _fail(line)


def _of_the_log(error: Exception) -> str:
    """Why the log file cannot be written; empty for anything else."""
    cause = error.__cause__
    if not isinstance(error, ValueError) or not isinstance(cause, OSError):
        return ""
    return f"no log file ({cause}); choose another folder of the results with hydra.run.dir=FOLDER"


def _of_a_process(error: Exception) -> str:
    """What ended one of several processes, if a user can mend it; empty for anything else."""
    # PyTorch takes seconds to import, which help and completion can do without.
    from torch.multiprocessing import ProcessExitedException, ProcessRaisedException

    if isinstance(error, ProcessRaisedException):
        # The traceback of the process is all that has come back.
        _, ours, note = str(error).rpartition(f"\n{TorchfitError.__module__}.")
        return " ".join(note.partition(": ")[2].split()) if ours else ""
    if isinstance(error, ProcessExitedException):
        return (
            f"a process of the run was killed, for want of memory perhaps ({one_line(error)}); "
            "what is finished is kept: the same command goes on from there"
        )
    return ""


def _fail(line: str) -> None:
    print(f"error: {line}", file=sys.stderr)
    sys.exit(1)


@singledispatch
def one_line(error: BaseException) -> str:
    """Say in one line what is wrong; the errors that need other words have them below.

    Args:
        error: The error.

    Returns:
        A line.
    """
    return " ".join(str(error).split())


@one_line.register
def _of_the_system(error: OSError) -> str:
    return _no_access(error) if error.errno == errno.EROFS else " ".join(str(error).split())


@one_line.register(PermissionError)
def _no_access(error: OSError) -> str:
    return (
        f"{error.filename} cannot be used ({error.strerror}); results go to hydra.run.dir=FOLDER, "
        "downloads to the folder that TORCHFIT_CACHE names"
    )


@one_line.register
def _no_value(error: MissingMandatoryValue) -> str:
    return f"{error.full_key} has no value; give it as {error.full_key}=VALUE"


@one_line.register
def _not_built(error: InstantiationException) -> str:
    cause, text = error.__cause__, " ".join(str(error).split())
    if isinstance(cause, MENDABLE):
        return one_line(cause)
    if isinstance(cause, TypeError) and (found := _UNKNOWN_PARAMETER.search(text)):
        return f"no such key: {found[3]}.{found[2]}; it is no parameter of {found[1]}"
    return text


@one_line.register
def _syntax(error: OverrideParseException) -> str:
    return (
        f"cannot read {error.override}; write key=value, and a value with '=', ',' or blanks "
        "in quotes within quotes: \"key='value'\""
    )


@one_line.register
def _no_such_option(error: MissingConfigException) -> str:
    group, _, name = str(error.missing_cfg_file).rpartition("/")
    options = error.options or _options(group, str(error))
    return f"{group}={name} is unknown; use one of: {', '.join(options)}"


def _options(group: str, message: str) -> list[str]:
    """Options of a group in all folders of the search path, which the message of Hydra lists.

    It lists the options itself, but for those of which several may be chosen.
    """
    found: set[str] = set()
    for scheme, place in re.findall(r"path=(file|pkg)://(.*)$", message, re.MULTILINE):
        folder = (Path(place) if scheme == "file" else resources.files(place)) / group
        if folder.is_dir():
            found |= {each.name for each in folder.iterdir()}
    return sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml"))


@one_line.register
def _not_composed(error: ConfigCompositionException) -> str:
    cause = error.__cause__
    if not isinstance(cause, OmegaConfBaseException):
        return " ".join(str(error).split())
    path, dot, key = str(cause.full_key).rpartition(".")
    known = sorted(map(str, cause.parent_node or ()))
    near = ", ".join(path + dot + name for name in get_close_matches(key, known) or known)
    other = f"there is {near}" if near else f"to add it, write +{cause.full_key}=VALUE"
    return f"no such key: {cause.full_key}; {other}"
