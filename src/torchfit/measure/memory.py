"""How many stars the memory of a device holds at once."""

import torch

from torchfit.measure.fitter import BatchFitter

SHARE = 0.5
"""Share of the free memory that a batch is planned to take: the estimate is a rough one."""
MOST = 4096
"""Stars that keep a large accelerator busy; more would only take memory."""
_PER_PIXEL, _PER_TEMPLATE, _PER_PAIR = 12, 6, 6


def bytes_per_star(fitter: BatchFitter) -> int:
    """What measuring one more star at once takes on a device, in bytes.

    Numbers of double precision at the peak: of its pixels, of its correlations with the templates
    and its kernel values, and, without a metric that shares matrices, of its own matrices of the
    components. Twice what the tensors of a simulated device were counted to hold.

    Args:
        fitter: Emulator and settings.

    Returns:
        An estimate, rather too high than too low.
    """
    n_pix, n_comp = fitter.emulator.basis.shape
    n_templates = len(fitter.emulator.library)
    numbers = _PER_PIXEL * n_pix + _PER_TEMPLATE * n_templates
    if fitter.settings.metric.sharing is None:
        numbers += _PER_PAIR * n_comp**2
    return 8 * numbers


def free_memory(device: torch.device) -> int | None:
    """Memory that a device has left, in bytes.

    Args:
        device: The device.

    Returns:
        The bytes; ``None`` for the CPU, and for a device that does not say.
    """
    if device.type == "cpu":
        return None
    module = torch.get_device_module(device)
    return int(module.mem_get_info(device)[0]) if hasattr(module, "mem_get_info") else None


def stars_that_fit(device: torch.device, of_one: int) -> int | None:
    """Stars that a device can measure at once.

    Args:
        device: The device.
        of_one: What one takes, in bytes.

    Returns:
        A number from 1 to :data:`MOST`; ``None`` where the free memory is not known.
    """
    free = free_memory(device)
    return None if free is None else min(max(int(SHARE * free / of_one), 1), MOST)
