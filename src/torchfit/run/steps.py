"""How long the steps of a run take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from torchfit.report.rows import Row


class Steps:
    """Seconds of the steps that several figures are made of."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open: list[float] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step; the time of a step within it is its own.

        Args:
            name: What it is called.
        """
        start = time.perf_counter()
        self._open.append(0.0)
        try:
            yield
        finally:
            total = time.perf_counter() - start
            within = self._open.pop()
            if self._open:
                self._open[-1] += total
            self.seconds[name] = self.seconds.get(name, 0.0) + total - within

    def rows(self) -> list[Row]:
        """The steps in their order."""
        return [{"step": name, "seconds": seconds} for name, seconds in self.seconds.items()]
