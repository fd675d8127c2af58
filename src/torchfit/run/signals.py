"""What a program does when it is interrupted or terminated: it ends, soon and whole."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from torchfit.survey.children import end_children

INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM
"""Exit status of a program that a signal has ended, as shells count."""
PATIENCE = 5.0
"""Seconds for the main thread to come back to Python, from a long product of matrices or from
waiting for another machine, before the process ends without it."""
_AGAIN = 0.05
"""Seconds after which an interrupt comes again that Python has dropped."""
_ENDING = bytes([signal.SIGINT, signal.SIGTERM])


class _Terminated(SystemExit):
    """SIGTERM has come."""


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """Turn SIGINT and SIGTERM into one line and an exit status, and leave no child behind.

    Whatever is raised after a signal has come is taken for its consequence: an interrupted import
    raises anything. A program that was started with interrupts ignored goes on ignoring them.

    Yields:
        Nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    with _handlers(came), _watched():
        try:
            yield
        except BaseException as error:
            if came or _is_interrupt(error):
                _end(128 + (came or [signal.SIGINT])[0])
            raise
        finally:
            end_children()


@contextmanager
def _handlers(came: list[int]) -> Iterator[None]:
    """Note the signals that come."""

    def note(number: int, frame: FrameType | None) -> None:
        """Note a signal, and raise what ends the program."""
        came.append(number)
        raise _Terminated if number == signal.SIGTERM else KeyboardInterrupt

    numbers = [signal.SIGINT, signal.SIGTERM]
    before = {n: signal.getsignal(n) for n in numbers if signal.getsignal(n) != signal.SIG_IGN}
    for number in before:
        signal.signal(number, note)
    hook, sys.unraisablehook = sys.unraisablehook, _come_again
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


def _come_again(dropped: "sys.UnraisableHookArgs") -> None:
    """Send a signal once more whose exception a destructor has raised, which Python drops."""
    if not isinstance(dropped.exc_value, _Terminated | KeyboardInterrupt):
        sys.__unraisablehook__(dropped)
        return
    number = signal.SIGTERM if isinstance(dropped.exc_value, _Terminated) else signal.SIGINT
    again = threading.Timer(_AGAIN, os.kill, (os.getpid(), number))
    again.daemon = True
    again.start()


def _is_interrupt(error: BaseException) -> bool:
    """Whether an error is an interrupt, or the exit that Lightning makes of one."""
    exits = isinstance(error, SystemExit) and error.code == 1
    return isinstance(error.__context__ if exits else error, KeyboardInterrupt)


def _end(status: int) -> None:
    _report(status)
    sys.exit(status)


def _report(status: int) -> None:
    word = {INTERRUPTED: "interrupted", TERMINATED: "terminated"}[status]
    print(f"\n{word}; the same command goes on from here", file=sys.stderr, flush=True)


@contextmanager
def _watched() -> Iterator[None]:
    """End the process some seconds after a signal, if the block goes on."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    ended = threading.Event()
    threading.Thread(target=_watch, args=(reader, ended), daemon=True).start()
    try:
        yield
    finally:
        ended.set()
        signal.set_wakeup_fd(before)
        os.close(writer)


def _watch(reader: int, ended: threading.Event) -> None:
    """Read the numbers of the signals, which arrive even while the main thread computes."""
    with open(reader, "rb", buffering=0) as numbers:
        while number := numbers.read(1):
            if number in _ENDING and not ended.wait(PATIENCE):
                _report(128 + number[0])
                end_children()
                os._exit(128 + number[0])
