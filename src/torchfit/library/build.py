"""From a reader to a library: read, cut, preprocess."""

import logging
from collections.abc import Iterator

import torch
from tqdm import tqdm

from torchfit.exceptions import DataError, SpectrumError
from torchfit.io.reader import SurveyReader
from torchfit.library.cuts import LabelBox
from torchfit.library.library import Library
from torchfit.preprocess.compose import Preprocessor
from torchfit.spectra import Spectrum

logger = logging.getLogger(__name__)


def build_library(
    reader: SurveyReader, preprocessor: Preprocessor, cuts: LabelBox, min_good: float = 0.5
) -> Library:
    """Read a library, keep the stars the cuts allow, and preprocess them.

    Args:
        reader: Reader of the library's files.
        preprocessor: Steps P1-P5.
        cuts: Which stars to keep.
        min_good: Smallest fraction of good pixels a template may have, counted over the pixels
            that any template has.

    Returns:
        The library, in the order of the reader's sources.

    Raises:
        DataError: If fewer than ten stars remain, or the reader states no resolution.
    """
    if reader.lsf_fwhm is None:
        raise DataError(f"the library {reader.name} states no resolution (lsf_fwhm)")
    kept = list(_read(reader, cuts))
    if len(kept) < 10:
        raise DataError(
            f"only {len(kept)} stars of {reader.name} pass the cuts; widen library.cuts"
        )
    spectra = preprocessor(kept)
    names = tuple(cuts.label_names)
    library = Library(
        spectra,
        torch.tensor([[s.info.labels[name] for name in names] for s in kept], dtype=torch.float64),
        names,
        tuple(s.info.name or s.info.source for s in kept),
        reader.lsf_fwhm,
        {"library": reader.name, **reader.provenance()},
    )
    good = spectra.good
    return library.select(good.sum(dim=1) >= min_good * good.any(dim=0).sum())


def _read(reader: SurveyReader, cuts: LabelBox) -> Iterator[Spectrum]:
    """The spectra that can be read and pass the cuts; the others are counted in the log."""
    n_bad = n_cut = 0
    with tqdm(reader.sources(), desc=f"reading {reader.name}", unit="star") as sources:
        for source in sources:
            try:
                spectrum = reader.read(source)
            except SpectrumError as error:
                logger.warning("left out: %s", error)
                n_bad += 1
                continue
            if cuts.keeps(spectrum.info):
                yield spectrum
            else:
                n_cut += 1
    logger.info("%s: %d unreadable, %d outside the cuts", reader.name, n_bad, n_cut)
