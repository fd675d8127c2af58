"""The memory of the simulated device: what its tensors hold, and no more than it has.

Counted are the tensors that are made on the device, each storage once; not what an operator needs
while it computes, nor what an allocator keeps.
"""

import os
from contextlib import contextmanager

import torch

ROOM = "TORCHFIT_TEST_DEVICE_MEMORY"
"""Environment variable: bytes that the device has; without it, no end of them."""


class Meter:
    """Bytes that are held, and the most that ever were."""

    def __init__(self):
        self.stores, self.used, self.peak, self.is_read = {}, 0, 0, False

    @property
    def room(self):
        """Bytes that the device has; ``None`` for no end."""
        room = os.environ.get(ROOM)
        return None if room is None else int(room)

    @property
    def is_on(self):
        """Whether anybody wants to know."""
        return self.is_read or self.room is not None

    def add(self, key, size):
        """A tensor is made on a storage."""
        self.stores[key] = self.stores.get(key, 0) + 1
        if self.stores[key] > 1:
            return
        self.used += size
        if self.room is not None and self.used > self.room:
            self.remove(key, size)
            raise torch.OutOfMemoryError(
                f"sim out of memory. Tried to allocate {size} bytes\nof {self.room}"
            )
        self.peak = max(self.peak, self.used)

    def remove(self, key, size):
        """A tensor is gone."""
        self.stores[key] -= 1
        if not self.stores[key]:
            del self.stores[key]
            self.used -= size

    def info(self, device=None):
        """Free and total bytes, as :func:`torch.cuda.mem_get_info` says them."""
        return self.room - self.used, self.room


METER = Meter()


class Held:
    """Counts the storage of a tensor for as long as the tensor lives."""

    def __init__(self, inner):
        storage = inner.untyped_storage()
        self.key, self.size, self.counts = storage._cdata, storage.nbytes(), False
        METER.add(self.key, self.size)
        self.counts = True

    def __del__(self):
        if self.counts:
            METER.remove(self.key, self.size)


def held(inner):
    """What a tensor of the device keeps, so that it is counted; ``None`` if nobody counts."""
    return Held(inner) if METER.is_on else None


@contextmanager
def metered():
    """Count what is made on the device.

    Yields:
        The meter, whose ``peak`` begins at what is held already.
    """
    METER.is_read, METER.peak = True, METER.used
    try:
        yield METER
    finally:
        METER.is_read = False
