"""How many stars the memory of a device holds at once."""

import torch

from torchfit.measure.fitter import BatchFitter

SHARE = 0.5
"""Share of the free memory that a batch is planned to take: the estimate is a rough one."""
MOST = 4096
"""Stars that keep a large accelerator busy; more would only take memory."""


def bytes_per_star(fitter: BatchFitter) -> int:
    """What measuring one more star at once takes on a device, in bytes.

    Counted are the numbers of double precision of a star at the peak: of its pixels, of its
    correlations with the templates, of its kernel values and their derivatives, and, without a
    metric that shares matrices, of its own matrices of the components.

    Args:
        fitter: Emulator and settings.

    Returns:
        An estimate, rather too high than too low.
    """
    emulator, settings = fitter.emulator, fitter.settings
    n_pix, n_comp = emulator.basis.shape
    n_templates, n_labels = emulator.library.labels.shape
    n_own = 0 if settings.metric.sharing else n_comp
    per_pixel, per_template, per_pair = 24, 6, 8
    numbers = (
        per_pixel * n_pix + per_template * n_templates + per_pair * n_comp * (n_own + n_labels)
    )
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
