"""The templates of a library as they are read: those that can be used, preprocessed."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from tqdm import tqdm

from torchfit.exceptions import SpectrumError
from torchfit.library.cuts import LabelBox
from torchfit.library.resolution import coarsened, lsf_fwhm_of, resolution_nodes
from torchfit.preprocess.compose import Preprocessor
from torchfit.spectra import Spectra, Spectrum, StarInfo
from torchfit.surveys.reader import SurveyReader, attempt
from torchfit.surveys.stated_resolution import StatedResolution

logger = logging.getLogger(__name__)

_AT_ONCE = 256
Made = tuple[Spectra, Float[Tensor, "star node"]]
"""Normalised templates, and their resolutions at the nodes."""


@dataclass(frozen=True)
class TemplateMaker:
    """Makes templates of spectra.

    Args:
        reader: Where the spectra come from.
        preprocessor: Steps P1-P5.
        resolution: What sharper spectra are convolved to; nothing stated leaves them as they are.
    """

    reader: SurveyReader
    preprocessor: Preprocessor
    resolution: StatedResolution

    def __call__(self, spectra: Sequence[Spectrum]) -> Made:
        """Make templates.

        Args:
            spectra: Spectra as read.

        Returns:
            One row per spectrum: normalised on the grid, and its resolution at
            :func:`~torchfit.library.resolution.resolution_nodes`.

        Raises:
            DataError: If the reader states no resolution.
            SpectrumError: If a normalised flux is not finite.
        """
        wave = self.preprocessor.wave
        nodes = resolution_nodes(wave)
        own = lsf_fwhm_of(spectra, self.reader, nodes)
        least, target = self.resolution.fwhm(nodes.numpy()), self.resolution.fwhm(wave.numpy())
        if least is not None:
            spectra = [coarsened(each, self.reader, float(least.min())) for each in spectra]
            own = own.maximum(torch.from_numpy(least))
        lsf_fwhm = None if target is None else torch.from_numpy(target)
        made = self.preprocessor(spectra, lsf_fwhm=lsf_fwhm)
        if not bool(made.is_finite.all()):
            raise SpectrumError("the normalised flux is not finite")
        return made, own


@dataclass(frozen=True)
class Templates:
    """Templates in the order in which they were read.

    Args:
        infos: What is known of the stars.
        batches: Their spectra, some at a time.
        widths: Their resolutions at the nodes, full width at half maximum in Angstrom.
        unread: Why others cannot be used.
    """

    infos: list[StarInfo] = field(default_factory=list)
    batches: list[Spectra] = field(default_factory=list)
    widths: list[Float[Tensor, "star node"]] = field(default_factory=list)
    unread: list[SpectrumError] = field(default_factory=list)

    @classmethod
    def read(cls, make: TemplateMaker, cuts: LabelBox) -> "Templates":
        """Read a library.

        The spectra as read are larger than what becomes of them, and only a few of them are in
        memory at a time.

        Args:
            make: Makes templates, of the spectra of its reader.
            cuts: Which stars to keep.

        Returns:
            The stars that can be used and pass the cuts; the others are counted in the log.

        Raises:
            DataError: If the library as a whole cannot be read.
        """
        templates = cls()
        reading = templates._spectra(make.reader, cuts)
        while spectra := list(islice(reading, _AT_ONCE)):
            templates._add(make, spectra)
        return templates

    def _spectra(self, reader: SurveyReader, cuts: LabelBox) -> Iterator[Spectrum]:
        """The spectra that can be read and pass the cuts."""
        n_cut = 0
        sources = reader.sources()
        outcomes = reader.spectra(sources)
        for _, outcome in tqdm(
            outcomes, total=len(sources), desc=f"reading {reader.name}", unit="star"
        ):
            if isinstance(outcome, SpectrumError):
                self._leave_out(outcome)
            elif cuts.keeps(outcome.info):
                yield outcome
            else:
                n_cut += 1
        logger.info("%s: %d unreadable, %d outside the cuts", reader.name, len(self.unread), n_cut)

    def _add(self, make: TemplateMaker, spectra: Sequence[Spectrum]) -> None:
        """Make templates; one that fails does not take others along."""
        source = spectra[0].info.source
        made = attempt(partial(make, spectra), source)
        if not isinstance(made, SpectrumError):
            self.infos.extend(spectrum.info for spectrum in spectra)
            self.batches.append(made[0])
            self.widths.append(made[1])
        elif len(spectra) > 1:
            for spectrum in spectra:
                self._add(make, [spectrum])
        else:
            named = str(made).startswith(source)
            self._leave_out(made if named else SpectrumError(f"{source}: {made}"))

    def _leave_out(self, why: SpectrumError) -> None:
        logger.warning("left out: %s", why)
        self.unread.append(why)

    def order(self, min_good: float) -> list[int]:
        """Places of the templates that are used, by their sources.

        Args:
            min_good: Smallest fraction of good pixels, of those that any template has.
        """
        covered = self._covered(min_good)
        by_source = sorted(range(len(self.infos)), key=lambda star: self.infos[star].source)
        return [star for star in by_source if covered[star]]

    def _covered(self, min_good: float) -> Bool[Tensor, " star"]:
        """Stars that have enough of the pixels that any star has."""
        known = torch.stack([batch.good.any(dim=0) for batch in self.batches]).any(dim=0)
        n_good = torch.cat([batch.good.sum(dim=1) for batch in self.batches])
        return n_good >= min_good * known.sum()

    def joined(self, order: Sequence[int]) -> Spectra:
        """Some templates in an order; the batches are used up on the way.

        Args:
            order: Places of the templates.

        Returns:
            One batch.
        """
        wave, n_stars = self.batches[0].wave, sum(len(batch) for batch in self.batches)
        place = torch.full((n_stars,), -1)
        place[torch.tensor(order, dtype=torch.long)] = torch.arange(len(order))
        flux = torch.empty(len(order), len(wave), dtype=self.batches[0].flux.dtype)
        ivar, has_ivar = torch.empty_like(flux), torch.empty(len(order), dtype=torch.bool)
        for here in place.split([len(batch) for batch in self.batches]):
            batch, wanted = self.batches.pop(0), here >= 0
            flux[here[wanted]] = batch.flux[wanted]
            ivar[here[wanted]] = batch.ivar[wanted]
            has_ivar[here[wanted]] = batch.has_ivar[wanted]
        return Spectra(wave, flux, ivar, has_ivar)
