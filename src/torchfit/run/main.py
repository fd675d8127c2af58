"""``torchfit PROGRAM ...``: the command of an installed torchfit."""

import sys
from difflib import get_close_matches

from torchfit import __version__
from torchfit.exceptions import ConfigError
from torchfit.run.command import one_line_errors
from torchfit.run.completion import FLAGS, complete
from torchfit.run.programs import PROGRAMS


def main() -> None:
    """Run the program that the first argument names, or help.

    Raises:
        SystemExit: With status 1 and a line on standard error, if there is no such program.
    """
    first, *others = sys.argv[1:] or ["--help"]
    if first in ("-h", "--help"):
        print(overview())
    elif first == "--version":
        print(f"torchfit {__version__}")
    elif first in FLAGS:
        complete(others)
    else:
        with one_line_errors():
            program = PROGRAMS.get(first)
            if program is None:
                raise ConfigError(_no_program(first))
            program.start(others)


def overview() -> str:
    """What the programs are, with examples.

    Returns:
        Some lines.
    """
    examples = [item for program in PROGRAMS.values() for item in program.examples.items()]
    width = max(len(typed) for typed, _ in examples)
    return "\n".join(
        [
            "torchfit: stellar labels of survey spectra from a spectral emulator of real stars",
            "\nPrograms: torchfit PROGRAM ...",
            *(f"  {name:10} {program.summary}" for name, program in PROGRAMS.items()),
            "\nExamples:",
            *(f"  {typed:{width}}  # {result}" for typed, result in examples),
            "\nMore:",
            "  torchfit PROGRAM --help",
            "  torchfit --version",
            '  eval "$(torchfit --shell-completion install=bash)"  # completion by TAB',
        ]
    )


def _no_program(name: str) -> str:
    near = get_close_matches(name, PROGRAMS, n=1)
    other = f"there is {near[0]}" if near else f"use one of: {', '.join(PROGRAMS)}"
    return f"no program {name}; {other} (torchfit --help)"
