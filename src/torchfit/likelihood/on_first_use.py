"""Tables whose entries are computed when they are first asked for."""

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class OnFirstUse(Generic[K, V]):
    """Entries by their keys, each computed once, by the thread that first asks for it.

    Other threads that ask for it wait. A copy starts empty.

    Args:
        compute: Computes the entry of a key; it may ask other tables.
    """

    def __init__(self, compute: Callable[[K], V]) -> None:
        self.compute = compute
        self._entries: dict[K, Future[V]] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        """Number of entries that somebody has asked for."""
        return len(self._entries)

    def __getitem__(self, key: K) -> V:
        """The entry of a key; what its computation raises reaches everybody who waits for it."""
        with self._lock:
            known = self._entries.get(key)
            entry = self._entries.setdefault(key, Future()) if known is None else known
        if known is None:
            self._fill(key, entry)
        return entry.result()

    def _fill(self, key: K, entry: "Future[V]") -> None:
        try:
            entry.set_result(self.compute(key))
        except BaseException as error:
            del self._entries[key]  # Whoever asks again tries again.
            entry.set_exception(error)

    def __reduce__(self) -> tuple[Any, ...]:
        """How it is copied, and sent to another process."""
        return OnFirstUse, (self.compute,)
