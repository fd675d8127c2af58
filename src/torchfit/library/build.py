"""From a reader to a library: read, cut, preprocess."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import torch

from torchfit.exceptions import DataError
from torchfit.library.audit import Audit
from torchfit.library.cuts import LabelBox
from torchfit.library.labels import described, labels_of
from torchfit.library.library import Library
from torchfit.library.resolution import to_one_resolution
from torchfit.library.templates import TemplateMaker, Templates
from torchfit.preprocess.compose import Preprocessor
from torchfit.surveys.reader import SurveyReader
from torchfit.surveys.stated_resolution import StatedResolution

logger = logging.getLogger(__name__)

_LEAST = 10
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
    found = Templates.read(TemplateMaker(reader, preprocessor, resolution), cuts)
    infos, unread = found.infos, found.unread
    if len(infos) < _LEAST:
        why = f" ({len(unread)} cannot be read, the first: {unread[0]})" if unread else ""
        raise DataError(
            f"only {len(infos)} stars of {reader.name} pass the cuts; widen library.cuts{why}"
        )
    order = found.order(min_good)
    templates, lsf_fwhm = to_one_resolution(
        found.joined(order), torch.cat(found.widths)[order], one_resolution
    )
    values = [[infos[star].labels[name] for name in names] for star in order]
    rows = torch.tensor(values, dtype=torch.float64).reshape(-1, len(names))
    for name, first, same in zip(names, values[0], (rows == rows[0]).all(dim=0), strict=True):
        if same:
            logger.warning("%s is %g in the whole library: it is not measured", name, first)
    return Library(
        templates,
        rows,
        names,
        tuple(infos[star].name or infos[star].source for star in order),
        lsf_fwhm,
        {"library": reader.name, **reader.provenance()},
        audit,
    )
