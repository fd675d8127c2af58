"""Batches computed side by side, each by a thread of its own."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")
AHEAD = 2
"""Batches for each thread that are begun, or done and not taken."""


def side_by_side(function: Callable[[T], R], batches: Sequence[T]) -> Iterator[R]:
    """Call a function for every batch, for as many at a time as torch has threads.

    A fit is many short steps: shared among all cores, every step waits for the last of them, and
    two cores do the work of one and a half. Whole batches wait for nobody. One thread computes a
    batch however many there are, so that the last bits of its sums do not depend on them.

    Args:
        function: Is called by several threads at a time.
        batches: The batches.

    Yields:
        The results, in the order of the batches; the next ones are computed meanwhile, but no more
        than :data:`AHEAD` for every thread, so that those who take them slowly do not heap them up.
    """
    n_threads, ahead = torch.get_num_threads(), deque[Future[R]]()
    # Torch keeps the number of threads for every thread by itself, and for those to come.
    pool = ThreadPoolExecutor(n_threads, initializer=partial(torch.set_num_threads, 1))
    try:
        for batch in batches:
            if len(ahead) == AHEAD * n_threads:
                yield ahead.popleft().result()
            ahead.append(pool.submit(function, batch))
        while ahead:
            yield ahead.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(n_threads)
