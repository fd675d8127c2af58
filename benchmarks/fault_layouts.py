"""Sound files of every reader but that of LAMOST's low resolution, to be damaged one by one."""

import io
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType

import numpy as np
from astropy.io import fits

from family import ROOT

sys.path.append(str(ROOT))

from tests.data.desi import make as desi
from tests.data.elodie import make as elodie
from tests.data.files import make as files
from tests.data.grid import make as grid
from tests.data.lamost_mrs import make as lamost_mrs
from tests.data.library import make as library
from tests.data.mastar import make as mastar
from tests.data.sdss import make as sdss
from tests.data.table import make as table
from tests.integration import world

from torchfit.files.fetch import MANGADAP
from torchfit.surveys.desi import DesiReader
from torchfit.surveys.elodie import ElodieReader
from torchfit.surveys.files import FilesReader
from torchfit.surveys.grid import GridReader
from torchfit.surveys.grid_axes import GridAxes
from torchfit.surveys.grid_labels import GridLabels
from torchfit.surveys.label_pattern import LabelPattern
from torchfit.surveys.lamost_mrs import LamostMrsReader
from torchfit.surveys.library_table import LibraryTableReader
from torchfit.surveys.mastar import MastarReader
from torchfit.surveys.mastar_visits import MastarRecipe
from torchfit.surveys.mastarhc import MastarHcReader
from torchfit.surveys.miles import MilesReader
from torchfit.surveys.reader import SurveyReader
from torchfit.surveys.sdss import SdssReader
from torchfit.surveys.stated_resolution import StatedResolution
from torchfit.surveys.stelib import StelibReader
from torchfit.surveys.table import TableReader
from torchfit.surveys.wheel_reader import WheelReader

N_STARS = 12
"""Of a library: more than the ten that it must have."""
RESOLUTION = StatedResolution(lsf_fwhm=2.5)
PLAIN_AXES = GridAxes()
Files = dict[str, bytes]
_UNSOUND = "_HD90"
"""In the names of the stars of the made wheel that cannot be used as they are."""


@dataclass(frozen=True)
class Layout:
    """Files of one layout, and the reader that is given them.

    Args:
        make: Writes sound files below a folder.
        reader: Builds the reader of what lies below a folder.
        is_library: Whether a library is read, with labels; else a survey.
        struck: Ends of the names of the files that are damaged.
        in_wheel: Whether the files are members of an archive.
    """

    make: Callable[[Path], object]
    reader: Callable[[Path], SurveyReader]
    is_library: bool = False
    struck: tuple[str, ...] = ("",)
    in_wheel: bool = False

    def write(self, root: Path, content: Files) -> None:
        """Write files of this layout below a folder."""
        if self.in_wheel:
            with zipfile.ZipFile(root / MANGADAP.filename, "w") as wheel:
                for name, raw in content.items():
                    wheel.writestr(name, raw)
            return
        for name, raw in content.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)


def of_wheel(kind: type[WheelReader], root: Path) -> SurveyReader:
    """A reader of a wheel that nobody pinned."""
    reader = kind(str(root))
    reader.__dict__["archive"] = root / MANGADAP.filename
    return reader


def make_elodie(root: Path) -> None:
    """Spectra and table of so many stars."""
    elodie.make(root)
    rows = [f"{n:5d} HD{n:06d}    5433  3.50 -0.78 G2V" for n in range(1, N_STARS + 1)]
    for number in range(1, N_STARS + 1):
        name = root / "ll" / f"{number:05d}.fits"
        if not name.exists():
            elodie.write(name, elodie.flux_of(), 0 * elodie.flux_of() + 0.02)
    (root / "table1.dat").write_text("\n".join(rows) + "\n")


def make_desi(root: Path) -> None:
    """Coadded spectra with both tables of redshifts."""
    desi.make(root / "coadd-x.fits")
    desi.make_redrock(root / "redrock-x.fits", [0.0, 1e-4], ZWARN=[0, 0], SPECTYPE=["STAR", "STAR"])
    desi.make_velocities(root / "rvtab_coadd-x.fits", [0.0, 30.0], TEFF=[5000.0, 6000.0])


def make_files(root: Path) -> None:
    """A file of each format, and one of several spectra."""
    for name in ("tabular.fits", "wcs1d.fits", "table.ecsv"):
        files.make(root / name)
    files.make_several(root / "several.fits")


def make_npz(root: Path) -> None:
    """A grid in one file."""
    wave = grid.axis()
    labels = {"T": 5000.0 + 100 * np.arange(N_STARS), "G": np.full(N_STARS, 4.0)}
    flux = np.tile(grid.flux_of(wave), (N_STARS, 1))
    np.savez(root / "all.npz", wave=wave, flux=flux, M=np.zeros(N_STARS), **labels)


def make_images(root: Path) -> None:
    """A grid of an image a model."""
    wave = grid.axis()
    for number in range(N_STARS):
        cards = {"CRVAL1": wave[0], "CDELT1": wave[1] - wave[0], "CRPIX1": 1.0, "LOG_G": 4.5}
        header = fits.Header(cards | {"TEFF": 5000.0 + number, "M_H": -0.5})
        fits.PrimaryHDU(grid.flux_of(wave), header).writeto(root / f"model{number}.fits")


def make_more(make: Callable[[Path], object], first: str, rest: str) -> Callable[[Path], object]:
    """What writes a grid and copies of one of its files, at other temperatures."""

    def make_all(root: Path) -> None:
        make(root)
        name = next(path.name for path in sorted(root.iterdir()) if first in path.name)
        for number in range(N_STARS):
            copy = name.replace(first, rest.format(40 + number))
            (root / copy).write_bytes((root / name).read_bytes())

    return make_all


def make_each(make: Callable[..., object], name: str, n: int = 3) -> Callable[[Path], object]:
    """What writes one file of a name, of so many stars."""
    return lambda root: make(root / name, n)


def table_reader(name: str, root: Path) -> SurveyReader:
    """A survey in a table."""
    return TableReader(str(root / name), "vacuum", table.COLUMNS, default_z=0.0)


def library_reader(
    name: str, root: Path, columns: Mapping[str, str] = library.COLUMNS
) -> SurveyReader:
    """A library in a table, spectra in its cells or in files."""
    return LibraryTableReader(
        str(root / name), "vacuum", library.LABELS, columns=columns, resolution=RESOLUTION
    )


def grid_reader(
    root: Path,
    names: str = "",
    cards: Mapping[str, str] = MappingProxyType({}),
    axes: GridAxes = PLAIN_AXES,
) -> SurveyReader:
    """A synthetic grid."""
    fixed = {"fe_h": 0.0, "logg": 4.0, "teff": 5000.0}
    labels = GridLabels(LabelPattern(names), dict(cards), fixed)
    return GridReader(str(root), "vacuum", labels=labels, axes=axes, resolution=RESOLUTION)


CARDS = {"teff": "TEFF", "logg": "LOG_G", "fe_h": "M_H"}
ARRAYS = {"teff": "T", "logg": "G", "fe_h": "M"}
TEMPERATURE = r"(?P<teff>\d\d\d+)"
TABLES = ("fits", "parquet", "csv", "ecsv", "vot")
LIBRARIES = {
    "MILES": Layout(
        partial(world.make_wheel, n_library=N_STARS), partial(of_wheel, MilesReader), True,
        ("V.fits", "v9.1.txt"), True,
    ),
    "STELIB": Layout(
        partial(world.make_wheel, n_library=0, n_stelib=N_STARS),
        partial(of_wheel, StelibReader), True, (".fits",), True,
    ),
    "ELODIE": Layout(make_elodie, lambda root: ElodieReader(str(root)), True),
    "MaStar": Layout(
        mastar.make,
        lambda root: MastarReader(str(root), recipe=MastarRecipe("all", 0.0)),
        True,
        ("goodspec-v3_1_1-v1_7_7.fits.gz", "params-v2.fits", "7_7.fits"),
    ),
    "library of files": Layout(
        make_each(library.make_files, "library.csv", N_STARS),
        partial(library_reader, "library.csv", columns={"name": "STAR", "file": "FILE"}), True,
    ),
    **{
        f"library {ending}": Layout(
            make_each(library.make_arrays, f"library.{ending}", N_STARS),
            partial(library_reader, f"library.{ending}"), True,
        )
        for ending in TABLES
    },
    "grid npz": Layout(make_npz, partial(grid_reader, cards=ARRAYS), True),
    "grid images": Layout(make_images, partial(grid_reader, cards=CARDS), True),
    "grid phoenix": Layout(
        make_more(grid.phoenix, "lte05700", "lte0{}00"),
        partial(grid_reader, names=TEMPERATURE, axes=GridAxes(f"WAVE_{grid.PHOENIX}.fits")),
        True,
    ),
    "grid bosz": Layout(
        make_more(grid.bosz, "t5000", "t{}00"),
        partial(grid_reader, names=rf"t{TEMPERATURE}"),
        True,
    ),
    "grid tlusty": Layout(
        make_more(grid.tlusty, "20000g", "{}000g"),
        partial(grid_reader, names=rf"B[GL]{TEMPERATURE}"),
        True,
    ),
}  # fmt: skip
"""Layouts of libraries."""
SURVEYS = {
    **{
        layout: Layout(
            lambda root, layout=layout: sdss.make(root / "spec-1.fits", layout),
            lambda root: SdssReader(str(root)),
        )
        for layout in sdss.LAYOUTS
    },
    "desi": Layout(make_desi, lambda root: DesiReader(str(root))),
    "files": Layout(make_files, lambda root: FilesReader(str(root), medium="vacuum", z=0.0)),
    "mastarhc": Layout(
        partial(world.make_wheel, n_library=0), partial(of_wheel, MastarHcReader), False,
        (".fits.gz", "tpl.fits"), True,
    ),
    **{
        f"lamost_mrs {kind}": Layout(
            lambda root, kind=kind: lamost_mrs.make(root / "med-1.fits", kind == "one row"),
            lambda root: LamostMrsReader(str(root), default_z=0.0),
        )
        for kind in ("rows", "one row")
    },
    **{
        f"table {ending}": Layout(
            make_each(table.make, f"spectra.{ending}"), partial(table_reader, f"spectra.{ending}")
        )
        for ending in ("fits", "parquet", "csv")
    },
}  # fmt: skip
"""Layouts of surveys."""
LAYOUTS = LIBRARIES | SURVEYS


@lru_cache
def sound(name: str) -> Files:
    """Sound files of a layout by their paths."""
    layout = LAYOUTS[name]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        layout.make(root)
        if layout.in_wheel:
            archive = io.BytesIO((root / MANGADAP.filename).read_bytes())
            with zipfile.ZipFile(archive) as wheel:
                names = [name for name in wheel.namelist() if _UNSOUND not in name]
                return {name: wheel.read(name) for name in names}
        paths = sorted(path for path in root.rglob("*") if path.is_file())
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}
