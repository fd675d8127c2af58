"""Fresh processes, which share neither threads nor memory with the one that starts them."""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.context import BaseContext
from multiprocessing.reduction import ForkingPickler

import numpy as np
import torch
from torch import Tensor
from torch.multiprocessing.reductions import reduce_tensor
from torch.nn import Parameter

from torchfit.exceptions import CrewError
from torchfit.survey import server

PRELOADED = [
    "__main__", server.__name__, "torchfit.survey.piece", "torchfit.survey.fit",
    "torchfit.survey.noise",
]  # fmt: skip
"""What the server of fresh processes imports, once for all of them."""


def fresh_processes() -> BaseContext:
    """How processes are started that share no threads, locks or memory with this one.

    They are forked by a server that has imported what they need and nothing else. An interrupt is
    for the program that started them, which ends them itself: server and children block it.

    Returns:
        A context of :mod:`multiprocessing`.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    multiprocessing.set_forkserver_preload(PRELOADED)
    resource_tracker.ensure_running()  # It unblocks signals when it starts its own process.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ[server.PARENT] = str(os.getpid())
    try:
        forkserver.ensure_running()
    finally:
        del os.environ[server.PARENT]
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return multiprocessing.get_context("forkserver")


@contextmanager
def started_processes(what: str) -> Iterator[None]:
    """Say in a line that a process was killed while it was being started.

    Args:
        what: What the processes do.

    Yields:
        Nothing.

    Raises:
        CrewError: If one was killed.
    """
    try:
        yield
    except (ConnectionError, EOFError) as error:
        raise CrewError(
            f"a process of the {what} was killed as it started, for want of memory perhaps "
            f"({error}); what is finished is kept: the same command goes on from there"
        ) from error


def _reduce(tensor: Tensor) -> tuple:
    """Send a tensor as bytes: shared memory may be a megabyte, and its lack kills the process."""
    if tensor.device.type != "cpu" or tensor.layout != torch.strided:
        return reduce_tensor(tensor)
    kind = Parameter if isinstance(tensor, Parameter) else Tensor
    order = sorted(range(tensor.dim()), key=tensor.stride().__getitem__, reverse=True)
    values = tensor.detach().permute(order).contiguous().numpy()
    return _rebuild, (values, order, tensor.requires_grad, kind)


def _rebuild(
    values: np.ndarray, order: Sequence[int], requires_grad: bool, kind: type[Tensor]
) -> Tensor:
    # The last bits of a matrix product depend on how its factors lie in memory: aligned, and
    # by rows or by columns.
    back = sorted(range(len(order)), key=order.__getitem__)
    tensor = torch.from_numpy(values).clone().permute(back)
    if kind is Parameter:
        return Parameter(tensor, requires_grad)
    return tensor.requires_grad_(requires_grad)


for _kind in (Tensor, Parameter):
    ForkingPickler.register(_kind, _reduce)
