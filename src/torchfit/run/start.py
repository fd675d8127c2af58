"""How every program starts: signals are heeded before anything is imported that takes time.

On a shared disk the imports take seconds, in which a user may find a mistake in the command.
"""

from collections.abc import Sequence

from torchfit.run.signals import ending_on_signals


def start_command() -> None:
    """Start ``torchfit PROGRAM ...``.

    Raises:
        SystemExit: As :func:`torchfit.run.main.main`, or if a signal ends it.
    """
    with ending_on_signals():
        from torchfit.run.main import main

        main()


def start_task(name: str, arguments: Sequence[str]) -> None:
    """Start ``python NAME.py ...``.

    Args:
        name: Name of the task.
        arguments: Overrides and Hydra's own flags.

    Raises:
        SystemExit: As :func:`torchfit.run.programs.run_task`, or if a signal ends it.
    """
    with ending_on_signals():
        from torchfit.run.programs import run_task

        run_task(name, arguments)
