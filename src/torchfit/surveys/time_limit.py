"""An end to reading a file that does not end by itself, such as one on a disk that hangs."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from torchfit.exceptions import SpectrumError


class _Overdue(BaseException):
    """No Exception, so that nothing that reads takes it for an error of the file."""


@contextmanager
def time_limit(seconds: float | None, source: str) -> Iterator[None]:
    """Give up what takes too long.

    It needs the timer of the system: only the main thread of a process has one, and only on a
    POSIX system. Elsewhere nothing is limited.

    Args:
        seconds: How long the block may take; ``None`` for no limit.
        source: What is read, for the error.

    Raises:
        SpectrumError: If it takes longer.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if seconds is None or not hasattr(signal, "setitimer") or not is_main:
        yield
        return
    before = signal.signal(signal.SIGALRM, _give_up) or signal.SIG_DFL
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except _Overdue as overdue:
        raise SpectrumError(f"{source}: reading took longer than {seconds:g} s") from overdue
    finally:
        signal.signal(signal.SIGALRM, before)


def _give_up(number: int, frame: FrameType | None) -> None:
    raise _Overdue
