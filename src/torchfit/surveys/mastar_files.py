"""The files of MaStar in the seventeenth data release: which, where they lie, where from."""

import logging
from dataclasses import dataclass
from pathlib import Path

from torchfit.exceptions import ConfigError, DataError
from torchfit.files.download import demand_unchanged, download, published_sha1
from torchfit.files.fetch import default_cache

logger = logging.getLogger(__name__)

ARCHIVE = "https://data.sdss.org/sas/dr17/manga/spectro/mastar/v3_1_1/v1_7_7"
"""Folder of the Science Archive Server that holds all of them."""
_VERSION = "v3_1_1-v1_7_7"
PARAMETERS = ("goodvisits-v2", "goodvisits-v1", "goodstars-v2", "goodstars-v1")
"""The parameter catalogues: labels of every visit or of every star, version 2 recommended."""


@dataclass(frozen=True)
class MastarFile:
    """One published file.

    Args:
        name: Name of the file.
        size: How large it is: of the spectra as published, of the others from their columns.
        folder: Folder below :data:`ARCHIVE`.
        aliases: Other names that it goes by.
    """

    name: str
    size: str
    folder: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Where SDSS publishes it."""
        return "/".join(part for part in (ARCHIVE, self.folder, self.name) if part)

    def below(self, folder: Path) -> Path | None:
        """Path of the file, or of its unpacked copy, in a folder; ``None`` if it is not there."""
        names = [self.name, *self.aliases]
        names += [name.removesuffix(".gz") for name in names if name.endswith(".gz")]
        return next((folder / name for name in names if (folder / name).is_file()), None)


SPECTRA = MastarFile(
    f"mastar-goodspec-{_VERSION}.fits.gz",
    "about 5 GB",
    aliases=(f"mastar-goodspec-{_VERSION}-goodvisits.fits.gz",),
)
SUMMARY = MastarFile(f"mastarall-{_VERSION}.fits", "20 MB or more")


def parameter_file(parameters: str) -> MastarFile:
    """The parameter catalogue of one kind.

    Args:
        parameters: One of :data:`PARAMETERS`.

    Raises:
        ConfigError: If it is none of them.
    """
    if parameters not in PARAMETERS:
        raise ConfigError(f"parameters={parameters} must be one of {', '.join(PARAMETERS)}")
    level, _, version = parameters.partition("-")
    name = f"mastar-{level}-{_VERSION}-params-{version}.fits"
    size = "25 MB" if level == "goodvisits" else "9 MB"
    return MastarFile(name, f"about {size}", f"vac/parameters/{version}")


@dataclass(frozen=True)
class MastarFiles:
    """The three files of a library.

    Args:
        summary: Summary of stars and visits.
        parameters: Stellar parameters.
        spectra: Spectra of the visits, gzipped or not.
    """

    summary: Path
    parameters: Path
    spectra: Path


def find_files(root: str | None, parameters: str, may_download: bool) -> MastarFiles:
    """Find the files, and fetch what is missing when that is allowed.

    Args:
        root: Folder that holds them; ``mastar`` in the cache of downloads if ``None``.
        parameters: One of :data:`PARAMETERS`.
        may_download: Whether to fetch missing files.

    Returns:
        Their paths. A file that was downloaded is checked against the sum taken then.

    Raises:
        DataError: If one is missing and may not be fetched, cannot be fetched, or has changed;
            the message lists what is missing and where it is published.
    """
    folder = default_cache() / "mastar" if root is None else Path(root).expanduser()
    wanted = (SUMMARY, parameter_file(parameters), SPECTRA)
    missing = [file for file in wanted if file.below(folder) is None]
    if missing and not may_download:
        raise DataError(_missing_text(missing, folder))
    for file in missing:
        _fetch(file, folder)
    paths = [file.below(folder) or folder / file.name for file in wanted]
    for path in paths:
        demand_unchanged(path)
    return MastarFiles(*paths)


def _missing_text(missing: list[MastarFile], folder: Path) -> str:
    lines = "; ".join(f"{file.name} ({file.size}) from {file.url}" for file in missing)
    return (
        f"MaStar is not complete in {folder}: fetch {lines}; or let torchfit do it with "
        "library.reader.download=true"
    )


def _fetch(file: MastarFile, folder: Path) -> None:
    sha1 = published_sha1(file.url)
    if sha1 is None:
        logger.warning("no SHA-1 of %s is published: only its size is checked", file.name)
    download(file.url, folder / file.name, sha1)
