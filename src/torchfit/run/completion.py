"""Completion by TAB: Hydra completes what a program takes, and here the program is found."""

import os
from collections.abc import Sequence

from torchfit.run.programs import PROGRAMS

FLAGS = ("-sc", "--shell-completion")
"""Hydra's flag; ``install=SHELL`` prints what a shell has to know, ``query=SHELL`` answers it."""


def complete(request: Sequence[str]) -> None:
    """Install completion, or answer a shell, which names no program in its question.

    Args:
        request: What follows the flag.
    """
    program = next(iter(PROGRAMS))
    if any(word.startswith("query=") for word in request):
        program, os.environ["COMP_LINE"] = _without_program(os.environ.get("COMP_LINE", ""))
    if not program:
        print("\n".join(PROGRAMS))
    elif program in PROGRAMS and PROGRAMS[program].is_configured:
        PROGRAMS[program].start([FLAGS[0], *request])


def _without_program(line: str) -> tuple[str, str]:
    """The program of a line, and the line as if the command were that program.

    The program is empty as long as its name is being typed.
    """
    command, _, typed = line.lstrip().partition(" ")
    program, blank, rest = typed.lstrip().partition(" ")
    return (program, f"{command} {rest}") if blank else ("", line)
