"""The processes that this one has started: none of them outlives it."""

import multiprocessing
import os
import signal
import threading
from contextlib import suppress


def begin_child() -> None:
    """Let a child end with its parent and at once when it is terminated; no child, no effect.

    Without its parent it would write on beside the next run, or wait for work for ever.
    """
    if parent := multiprocessing.parent_process():
        threading.Thread(target=_leave_after, args=(parent.sentinel,), daemon=True).start()
        heed_signals()


def heed_signals() -> None:
    """Let a child end when it is terminated, and leave interrupts to its parent.

    Lightning catches SIGTERM and goes on.
    """
    if multiprocessing.parent_process():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def end_children() -> None:
    """Kill every process that this one has started by :mod:`multiprocessing`, and wait for it.

    What they write appears whole or not at all, so nothing is spoiled.
    """
    children = multiprocessing.active_children()
    for child in children:
        with suppress(OSError, ValueError):
            child.kill()
    for child in children:
        with suppress(OSError, ValueError, AssertionError):
            child.join(5)


def _leave_after(sentinel: int) -> None:
    # A program heeds signals once it has imported this module: it imports little.
    from multiprocessing import connection

    connection.wait([sentinel])
    os._exit(1)
