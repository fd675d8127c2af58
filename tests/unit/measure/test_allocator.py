import sys

import pytest
import torch

from torchfit.measure.allocator import keep_freed_memory


def faults():
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is told, and counts, on Linux only")
def test_blocks_of_twenty_megabytes_are_used_again():
    if not keep_freed_memory():
        pytest.skip("this C library has no mallopt")
    torch.ones(20 * 2**18)
    before = faults()
    for _ in range(20):
        torch.ones(20 * 2**18)
    assert faults() - before < 20 * 5120 / 4


def test_other_systems_go_on(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()
