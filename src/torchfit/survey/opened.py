"""Shards that stay mapped while they are read from, as many as a process may have open files."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from torchfit.survey.shards import Shard

try:
    import resource
except ImportError:  # Windows, which has no such limit.
    resource = None  # type: ignore[assignment]

MOST = 4096
"""Most shards that stay mapped."""
SPARED = 256
"""Open files that are left to everything else."""


def opened(path: Path) -> Shard:
    """A shard that stays mapped until others take its place: a batch has stars of many.

    Args:
        path: The shard; one that was written again since is opened again.
    """
    return _opened()(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _opened() -> Callable[[Path, int], Shard]:
    return lru_cache(maxsize=room())(_open)


def _open(path: Path, written: int) -> Shard:
    return Shard(path)


def room(wanted: int = MOST) -> int:
    """How many of some files this process can keep open; its limit is raised where it may be.

    A mapped file counts as an open one, and many systems give a program 1024 by itself, ten or a
    thousand times as many if it asks.

    Args:
        wanted: Number of files.

    Returns:
        As many, or fewer; at least one.
    """
    if resource is None:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARED
    if soft != resource.RLIM_INFINITY and soft < needed:
        raised = needed if hard == resource.RLIM_INFINITY else min(hard, needed)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        except (OSError, ValueError):  # What the system grants may be less than it says.
            raised = soft
        return max(min(wanted, raised - SPARED), 1)
    return wanted
