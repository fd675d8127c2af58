"""Files that stand in for other catalogues, in their formats, of the stars of a mock survey."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.table import Table

from torchfit.exceptions import ConfigError
from torchfit.files.atomic import atomic
from torchfit.mock.lamost import LamostObject, MockLamostReader
from torchfit.mock.lamost_catalogue import COMMON_COLUMNS, STELLAR_COLUMNS, common_row, label_row
from torchfit.mock.other_catalogues import (
    MEMBERS_OF,
    Columns,
    OtherStars,
    apogee,
    bp_rp,
    gaia,
    gaia_eso,
    hotpayne,
    imig_logg,
    isochrone,
    members,
    pastel,
    reddening,
)
from torchfit.surveys.reader import SurveyReader

_MSTELLAR = (*COMMON_COLUMNS, "teff", "teff_err", "logg", "logg_err", "m_h", "m_h_err")


class MockTables:
    """Writes the tables that a reproduction of the paper compares with and joins.

    Args:
        seed: Seed of what they are off by.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def write(self, reader: SurveyReader, folder: Path) -> dict[str, str]:
        """Write all tables of the stars of a survey.

        Args:
            reader: The mock survey, or a part of it.
            folder: Where to; made when missing.

        Returns:
            Paths by the keys of the configuration that they belong to.

        Raises:
            ConfigError: If the stars are none of this package's mock survey.
            OutputError: If the system refuses a write.
        """
        survey = getattr(reader, "reader", reader)
        if not isinstance(survey, MockLamostReader):
            raise ConfigError(f"stand_ins: {reader.name} is no survey of mock stars; use null")
        sources = reader.sources()
        stars = OtherStars([survey.lamost_object(source) for source in sources], self.seed)
        folder.mkdir(parents=True, exist_ok=True)
        paths = {
            **_written(folder, _tables(stars)),
            "compare.lasp.path": _lamost(folder / "dr10_v2.0_LRS_stellar.csv", stars, False),
            "compare.laspm.path": _lamost(folder / "dr10_v2.0_LRS_mstellar.csv", stars, True),
            "crossmatch.logg_imig.path": _imig(folder / "imig.parquet", stars, sources),
            "figure.fig23.zams": _mist(folder / "mist.iso.cmd"),
        }
        paths["compare.lasp_a.path"] = paths["compare.lasp.path"]
        track = _parsec(folder / "parsec.dat")
        for cluster in MEMBERS_OF:
            paths[f"compare.clusters.isochrones.{cluster}"] = track
        return {key: str(path) for key, path in paths.items()}


def _tables(stars: OtherStars) -> Mapping[str, tuple[str, Columns]]:
    """File name and columns by key of the configuration."""
    return {
        "compare.apogee_dr16.path": ("allStar-r12-l33.fits", apogee(stars)),
        "compare.hotpayne.path": ("hotpayne.fits", hotpayne(stars)),
        "compare.pastel.path": ("pastel.vot", pastel(stars)),
        "compare.gaia_eso.path": ("gaia_eso.fits", gaia_eso(stars)),
        "compare.clusters.path": ("members.fits", members(stars)),
        "crossmatch.gaia_dr3.path": ("gaia_source.csv", gaia(stars)),
        "crossmatch.reddening.path": ("reddening.csv", reddening(stars)),
    }


_FORMATS: Mapping[str, str] = {".fits": "fits", ".vot": "votable", ".csv": "ascii.csv"}


def _written(folder: Path, tables: Mapping[str, tuple[str, Columns]]) -> dict[str, Path]:
    """Write tables in the format that the ending of each says."""
    paths = {}
    for key, (name, columns) in tables.items():
        paths[key] = folder / name
        with atomic(paths[key]) as temp:
            Table(columns).write(temp, format=_FORMATS[Path(name).suffix], overwrite=True)
    return paths


def _lamost(path: Path, stars: OtherStars, is_cool: bool) -> Path:
    """A table of labels of the survey's pipeline: of M stars, or of A, F, G, K stars."""
    row: Callable[[LamostObject], dict] = _cool_row if is_cool else _row
    mine = [each for each in stars.objects if (each.subclass[:1] in "dgM") == is_cool]
    with atomic(path) as temp, temp.open("w", encoding="ascii", newline="") as file:
        columns = _MSTELLAR if is_cool else STELLAR_COLUMNS
        writer = csv.DictWriter(file, columns, quoting=csv.QUOTE_NONE, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row(each) for each in mine if is_cool or each.subclass[:1] in "AFGK")
    return path


def _row(made: LamostObject) -> dict:
    return common_row(made) | label_row(made)


def _cool_row(made: LamostObject) -> dict:
    found = label_row(made)
    labels = {name: found[name] for name in ("teff", "teff_err", "logg", "logg_err")}
    return common_row(made) | labels | {"m_h": found["feh"], "m_h_err": found["feh_err"]}


def _imig(path: Path, stars: OtherStars, sources: list[str]) -> Path:
    with atomic(path) as temp:
        pq.write_table(pa.table(dict(imig_logg(stars, sources))), temp)
    return path


def _parsec(path: Path) -> Path:
    """A text as the PARSEC page gives it: the names stand in the last line of comments."""
    teff, logg = isochrone()
    lines = ["# mock isochrone, no stellar model", "# logTe logg"]
    rows = np.column_stack([np.log10(teff), logg])
    return _text(path, lines + [f"{t:.5f} {g:.4f}" for t, g in rows])


def _mist(path: Path) -> Path:
    """A zero-age main sequence in the columns of a MIST file of Gaia's bands."""
    teff = np.geomspace(3000.0, 30000.0, 60)
    names = "EEP log_Teff log_g Gaia_G_EDR3 Gaia_BP_EDR3 Gaia_RP_EDR3"
    lines = ["# mock main sequence, no stellar model", f"# {names}"]
    for eep, (t, colour) in enumerate(zip(teff, bp_rp(teff), strict=True), start=1):
        magnitudes = f"{5 + 0.6 * colour:.4f} {5 + colour:.4f} 5.0000"
        lines.append(f"{eep} {np.log10(t):.5f} 4.3000 {magnitudes}")
    return _text(path, lines)


def _text(path: Path, lines: list[str]) -> Path:
    with atomic(path) as temp:
        temp.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path
