"""From a reader to a library: read, cut, preprocess."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from types import MappingProxyType
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from tqdm import tqdm

from torchfit.exceptions import DataError, SpectrumError
from torchfit.library.audit import Audit
from torchfit.library.cuts import LabelBox
from torchfit.library.labels import described, labels_of
from torchfit.library.library import Library
from torchfit.library.resolution import (
    coarsened,
    lsf_fwhm_of,
    resolution_nodes,
    to_one_resolution,
)
from torchfit.preprocess.compose import Preprocessor
from torchfit.spectra import Spectra, Spectrum, StarInfo
from torchfit.surveys.reader import SurveyReader
from torchfit.surveys.stated_resolution import StatedResolution

logger = logging.getLogger(__name__)

_AT_ONCE = 256
AS_READ = StatedResolution()
NO_LABELS: Mapping[str, Any] = MappingProxyType({})
_USUAL = Audit()


def build_library(
    reader: SurveyReader,
    preprocessor: Preprocessor,
    cuts: LabelBox,
    min_good: float = 0.5,
    one_resolution: bool = False,
    labels: Mapping[str, Any] = NO_LABELS,
    resolution: StatedResolution = AS_READ,
    audit: Audit | None = _USUAL,
) -> Library:
    """Read a library, keep the stars the cuts allow, and preprocess them.

    The spectra as read are larger than what becomes of them, and only a few of them are in memory
    at a time.

    Args:
        reader: Reader of the library's files.
        preprocessor: Steps P1-P5.
        cuts: Which stars to keep.
        min_good: Smallest fraction of good pixels a template may have, counted over the pixels
            that any template has.
        one_resolution: Whether templates whose line-spread functions are known and differ are
            brought to the median one (:func:`~torchfit.library.resolution.to_one_resolution`).
        labels: ``unit``, ``text`` and ``range`` of the labels that torchfit does not know, by
            label; :func:`torchfit.library.labels.labels_of`.
        resolution: What sharper templates are convolved to; nothing stated leaves them as they are.
        audit: When a template is suspicious in training; ``None`` audits none.

    Returns:
        The library, in the order of the reader's sources.

    Raises:
        ConfigError: If a label cannot be one.
        DataError: If fewer than ten stars remain, or the reader states no resolution.
    """
    descriptions = described(labels)
    names = labels_of(cuts.label_names, descriptions)
    ranges = {name: each.range for name, each in descriptions.items()}
    cuts = replace(cuts, limits=ranges | dict(cuts.limits))
    infos: list[StarInfo] = []
    batches: list[Spectra] = []
    nodes, wanted = resolution_nodes(preprocessor.wave), preprocessor.wave
    least = resolution.fwhm(nodes.numpy())
    target = None if least is None else torch.from_numpy(resolution.fwhm(wanted.numpy()))
    widths: list[Float[Tensor, "star node"]] = []
    unread: list[SpectrumError] = []
    reading = _read(reader, cuts, unread)
    while spectra := list(islice(reading, _AT_ONCE)):
        infos += [spectrum.info for spectrum in spectra]
        own = lsf_fwhm_of(spectra, reader, nodes)
        if least is not None:
            spectra = [coarsened(each, reader, float(least.min())) for each in spectra]
            own = own.maximum(torch.from_numpy(least))
        batches.append(preprocessor(spectra, lsf_fwhm=target))
        widths.append(own)
    if len(infos) < 10:
        why = f" ({len(unread)} cannot be read, the first: {unread[0]})" if unread else ""
        raise DataError(
            f"only {len(infos)} stars of {reader.name} pass the cuts; widen library.cuts{why}"
        )
    covered = _covered(batches, min_good)
    order = [star for star in _by_source(infos) if covered[star]]
    templates, lsf_fwhm = to_one_resolution(
        _joined(batches, order), torch.cat(widths)[order], one_resolution
    )
    values = [[infos[star].labels[name] for name in names] for star in order]
    return Library(
        templates,
        torch.tensor(values, dtype=torch.float64).reshape(-1, len(names)),
        names,
        tuple(infos[star].name or infos[star].source for star in order),
        lsf_fwhm,
        {"library": reader.name, **reader.provenance()},
        audit,
    )


def _by_source(infos: list[StarInfo]) -> list[int]:
    return sorted(range(len(infos)), key=lambda star: infos[star].source)


def _covered(batches: list[Spectra], min_good: float) -> Bool[Tensor, " star"]:
    """Stars that have enough of the pixels that any star has."""
    known = torch.stack([batch.good.any(dim=0) for batch in batches]).any(dim=0)
    n_good = torch.cat([batch.good.sum(dim=1) for batch in batches])
    return n_good >= min_good * known.sum()


def _joined(batches: list[Spectra], order: list[int]) -> Spectra:
    """Some stars of all batches, in an order; the batches are used up on the way."""
    wave, n_stars = batches[0].wave, sum(len(batch) for batch in batches)
    place = torch.full((n_stars,), -1)
    place[torch.tensor(order, dtype=torch.long)] = torch.arange(len(order))
    flux = torch.empty(len(order), len(wave), dtype=batches[0].flux.dtype)
    ivar, has_ivar = torch.empty_like(flux), torch.empty(len(order), dtype=torch.bool)
    for here in place.split([len(batch) for batch in batches]):
        batch, wanted = batches.pop(0), here >= 0
        flux[here[wanted]] = batch.flux[wanted]
        ivar[here[wanted]] = batch.ivar[wanted]
        has_ivar[here[wanted]] = batch.has_ivar[wanted]
    return Spectra(wave, flux, ivar, has_ivar)


def _read(reader: SurveyReader, cuts: LabelBox, unread: list[SpectrumError]) -> Iterator[Spectrum]:
    """The spectra that can be read and pass the cuts; the others are counted in the log."""
    n_cut = 0
    sources = reader.sources()
    outcomes = reader.spectra(sources)
    for _, outcome in tqdm(
        outcomes, total=len(sources), desc=f"reading {reader.name}", unit="star"
    ):
        if isinstance(outcome, SpectrumError):
            logger.warning("left out: %s", outcome)
            unread.append(outcome)
        elif cuts.keeps(outcome.info):
            yield outcome
        else:
            n_cut += 1
    logger.info("%s: %d unreadable, %d outside the cuts", reader.name, len(unread), n_cut)
