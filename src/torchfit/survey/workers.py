"""Jobs for processes: each job whole in one of them, the results as they come."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

import torch

from torchfit.exceptions import DataError
from torchfit.survey.children import begin_child, end_children
from torchfit.survey.processes import fresh_processes, started_processes

T = TypeVar("T")


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_jobs(
    function: Callable[..., T], jobs: Iterable[tuple[object, ...]], n_workers: int
) -> Iterator[T]:
    """Call a function for every job, each call on one thread.

    The workers do not come from this process, whose threads a fork would leave behind, but from
    a fresh one that has imported what they need, once for all. Only a few jobs are made ahead.

    Args:
        function: What to call, by name importable in another process.
        jobs: Its arguments.
        n_workers: Number of processes; up to 1 is this process.

    Yields:
        Results, as they come.

    Raises:
        DataError: If a worker is killed.
    """
    if n_workers <= 1:
        with _one_thread():
            for job in jobs:
                yield function(*job)
        return
    with (
        started_processes("packing"),
        ProcessPoolExecutor(n_workers, fresh_processes(), _prepare_worker) as pool,
    ):
        try:
            yield from _results(pool, function, jobs, 2 * n_workers)
        except BrokenProcessPool as error:
            raise DataError(
                "a packing worker was killed, for want of memory perhaps; what is finished is "
                "kept: the same command goes on from there, with pack.workers=1 if need be"
            ) from error
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            end_children()  # A job may take minutes, and nobody waits for it.
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _prepare_worker() -> None:
    torch.set_num_threads(1)
    begin_child()


def _results(
    pool: ProcessPoolExecutor,
    function: Callable[..., T],
    jobs: Iterable[tuple[object, ...]],
    n_ahead: int,
) -> Iterator[T]:
    running: set[Future[T]] = set()
    for job in jobs:
        if len(running) == n_ahead:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
        running.add(pool.submit(function, *job))
    yield from (future.result() for future in as_completed(running))


@contextmanager
def _one_thread() -> Iterator[None]:
    """As in a worker, so that the last bit of a sum does not depend on where it was made."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
