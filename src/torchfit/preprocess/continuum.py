"""P4 and P5: divide by the running median, and clip what sticks out."""

import torch
from jaxtyping import Bool, Float, Int
from scipy.ndimage import rank_filter
from torch import Tensor


def running_median(
    flux: Float[Tensor, "star pix"], good: Bool[Tensor, "star pix"], window: int
) -> Float[Tensor, "star pix"]:
    """Upper median of the good pixels in a sliding window.

    The window of pixel i is i - window // 2 ... i + (window - 1) // 2 on the spectrum continued
    by reflection (d c b a | a b c d | d c b a); its value is the sorted good pixel of rank
    n_good // 2. Without bad pixels this equals
    ``scipy.ndimage.median_filter(flux, [window], mode="reflect")`` exactly.

    On a CPU scipy's filter finds it, twice as we need it (:func:`_by_filter`); elsewhere every
    window is answered at once by a wavelet matrix over the ranks of the pixels: log2(pix) passes
    of cumulative sums and gathers, whatever the window. Both select a pixel, so they agree to the
    last bit.

    Args:
        flux: Flux; what stands in a bad pixel has no weight.
        good: Pixels that count.
        window: Width of the window in pixels, at most the number of pixels.

    Returns:
        The running median; NaN where a window holds no good pixel.

    Raises:
        ValueError: If the window is not positive or wider than the spectrum.

    References:
        Claude & Navarro 2012, SPIRE, "The wavelet matrix"; Imig et al. 2022, AJ 163, 56.
    """
    n_pix = flux.shape[1]
    if not 1 <= window <= n_pix:
        raise ValueError(
            f"window must lie within 1 and the {n_pix} pixels of a spectrum, got {window}"
        )
    before, after = window // 2, (window - 1) // 2
    padded, padded_good = (
        torch.cat([x[:, :before].flip(1), x, x[:, n_pix - after :].flip(1)], dim=1)
        for x in (flux, good)
    )
    n_good = _window_sums(padded_good, window)
    find = _by_filter if flux.device.type == "cpu" else _by_wavelet_matrix
    median = find(padded, padded_good, n_good // 2, window)
    return torch.where(n_good > 0, median, torch.nan)


def _by_filter(
    flux: Float[Tensor, "star pad"],
    good: Bool[Tensor, "star pad"],
    k: Int[Tensor, "star pix"],
    window: int,
) -> Float[Tensor, "star pix"]:
    """The k-th smallest good pixel of every window, k half of their number, by a rank filter.

    A filter has one rank for all windows. Of the bad pixels, in their order, every second one
    is set below and every other above all good ones: half of the bad ones in any window then lie
    below, and the rank of the wanted pixel among all of them is one of two numbers.
    """
    low = ~good & (good.logical_not().cumsum(dim=1) % 2 == 1)
    value = torch.where(good, flux, torch.where(low, -torch.inf, torch.inf).to(flux))
    rank = (k + _window_sums(low, window)).clamp_max(window - 1)
    # One row after the other: a window that starts in one and ends in the next is cut off.
    n_pad = flux.shape[1]
    line = value.reshape(-1).numpy()
    found = torch.empty_like(k, dtype=flux.dtype)
    # Of small numbers bincount finds the different ones, twenty times faster than unique.
    for wanted in rank.flatten().bincount().nonzero()[:, 0].tolist():
        chosen = rank_filter(line, wanted, size=window, mode="nearest")
        rows = torch.from_numpy(chosen).reshape(-1, n_pad)
        inside = rows[:, window // 2 : window // 2 + k.shape[1]]
        found = torch.where(rank == wanted, inside, found)
    return found


def _by_wavelet_matrix(
    flux: Float[Tensor, "star pad"],
    good: Bool[Tensor, "star pad"],
    k: Int[Tensor, "star pix"],
    window: int,
) -> Float[Tensor, "star pix"]:
    """The k-th smallest good pixel of every window, by the ranks of all pixels."""
    value, order = torch.where(good, flux, torch.inf).sort(dim=1, stable=True)
    n_pad = flux.shape[1]
    rank = torch.empty_like(order).scatter_(
        1, order, torch.arange(n_pad, device=flux.device).expand_as(order)
    )
    return value.gather(1, _window_order_statistic(rank, k, window).clamp_max(n_pad - 1))


def _window_sums(flag: Bool[Tensor, "star pad"], window: int) -> Int[Tensor, "star pix"]:
    """Number of true pixels in every window."""
    total = torch.nn.functional.pad(flag.long().cumsum(dim=1), (1, 0))
    return total[:, window:] - total[:, :-window]


def _window_order_statistic(
    rank: Int[Tensor, "star pad"], k: Int[Tensor, "star pix"], window: int
) -> Int[Tensor, "star pix"]:
    """The k-th smallest integer of every window, bit by bit from the highest."""
    start = torch.arange(k.shape[1], device=rank.device).expand_as(k)
    stop = start + window
    found = torch.zeros_like(k)
    for bit in reversed(range(int(rank.shape[1]).bit_length())):
        zero = (rank >> bit) & 1 == 0
        zeros_before = torch.nn.functional.pad(zero.long().cumsum(dim=1), (1, 0))
        n_zeros = zeros_before[:, -1:]
        start_zero, stop_zero = zeros_before.gather(1, start), zeros_before.gather(1, stop)
        count = stop_zero - start_zero
        take_zero = k < count
        found = torch.where(take_zero, found, found | (1 << bit))
        k = torch.where(take_zero, k, k - count)
        start = torch.where(take_zero, start_zero, n_zeros + start - start_zero)
        stop = torch.where(take_zero, stop_zero, n_zeros + stop - stop_zero)
        place = torch.arange(rank.shape[1], device=rank.device)
        target = torch.where(zero, zeros_before[:, :-1], n_zeros + place - zeros_before[:, :-1])
        rank = torch.empty_like(rank).scatter_(1, target, rank)
    return found


def running_mean(
    flux: Float[Tensor, "star pix"], good: Bool[Tensor, "star pix"], window: int
) -> Float[Tensor, "star pix"]:
    """Mean of the good pixels in a sliding window, cut off at the ends of the spectrum.

    Args:
        flux: Flux; what stands in a bad pixel has no weight.
        good: Pixels that count.
        window: Width of the window in pixels, odd.

    Returns:
        The running mean; 0 where a window holds no good pixel.
    """
    half, n_pix = window // 2, flux.shape[1]
    total, number = (
        torch.nn.functional.pad(x.cumsum(dim=1), (1, 0))
        for x in (torch.where(good, flux, 0.0), good.to(flux.dtype))
    )
    pixel = torch.arange(n_pix, device=flux.device)
    low, high = (pixel - half).clamp_min(0), (pixel + half + 1).clamp_max(n_pix)
    return (total[:, high] - total[:, low]) / (number[:, high] - number[:, low]).clamp_min(1.0)


def smooth_median(
    flux: Float[Tensor, "star pix"],
    good: Bool[Tensor, "star pix"],
    window: int,
    smoothing: int,
    stride: int = 1,
) -> Float[Tensor, "star some"]:
    """Running median of the running mean.

    Of the running mean over a few pixels, which has less noise and shallower lines than the flux,
    noise moves the median less.

    Args:
        flux: Flux in any unit.
        good: Pixels that count.
        window: Width of the running median in pixels.
        smoothing: Width of the running mean in pixels; 1 for none.
        stride: The median is that of every so many pixels, and found there.

    Returns:
        The continuum; NaN where a window holds no good pixel.
    """
    smooth = flux if smoothing == 1 else running_mean(flux, good, smoothing)
    few, few_good = (each[:, ::stride].contiguous() for each in (smooth, good))
    return running_median(few, few_good, window // stride or min(window, 1))


def divide(
    flux: Float[Tensor, "star pix"],
    ivar: Float[Tensor, "star pix"],
    continuum: Float[Tensor, "star pix"],
) -> tuple[Float[Tensor, "star pix"], Float[Tensor, "star pix"]]:
    """Divide by a continuum.

    Args:
        flux: Flux in any unit.
        ivar: Inverse variance; 0 marks a bad pixel.
        continuum: The continuum.

    Returns:
        Normalised flux and its inverse variance. A pixel whose continuum is not positive, or NaN,
        becomes bad.
    """
    usable = (ivar > 0) & (continuum > 0)
    continuum = torch.where(usable, continuum, 1.0)
    return torch.where(usable, flux / continuum, 0.0), torch.where(usable, ivar * continuum**2, 0.0)


def clip(
    flux: Float[Tensor, "star pix"], upper: float | None, lower: float | None
) -> Float[Tensor, "star pix"]:
    """Set normalised flux beyond a limit to the continuum, 1 (P5).

    Args:
        flux: Normalised flux.
        upper: Flux above this becomes 1; ``None`` for no limit. The paper takes 2.
        lower: Flux below this becomes 1; ``None`` for no limit, as in the paper.

    Returns:
        Clipped flux.
    """
    above = flux > upper if upper is not None else torch.zeros_like(flux, dtype=torch.bool)
    below = flux < lower if lower is not None else torch.zeros_like(flux, dtype=torch.bool)
    return torch.where(above | below, 1.0, flux)


def sticks_out(
    flux: Float[Tensor, "star pix"],
    error: Float[Tensor, "star pix"],
    limits: tuple[float | None, float | None],
    sigma: float,
) -> Bool[Tensor, "star pix"]:
    """Pixels whose normalised flux lies beyond a limit by more than their noise would have it.

    Noise alone may not mask a pixel: what is left of a faint spectrum would lie too low.

    Args:
        flux: Normalised flux.
        error: Standard deviation of its noise.
        limits: Lower and upper limit; ``None`` for no limit.
        sigma: By how many errors flux may lie beyond a limit.
    """
    lower, upper = limits
    found = torch.zeros_like(flux, dtype=torch.bool)
    if upper is not None:
        found |= flux > upper + sigma * error
    if lower is not None:
        found |= flux < lower - sigma * error
    return found
