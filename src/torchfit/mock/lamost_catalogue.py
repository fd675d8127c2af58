"""The tables that a LAMOST release comes with: all spectra, and labels of the A, F, G, K stars."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from torchfit.files.atomic import atomic
from torchfit.mock.lamost import LamostObject
from torchfit.mock.lamost_cards import iso_date
from torchfit.names import SPEED_OF_LIGHT

_RELEASE = "dr10_v2.0_LRS"
_MISSING, _NO_MAGNITUDE = -9999.0, -999.0
_PIPELINE_STREAM = 3
_ERRORS = {"teff": 60.0, "logg": 0.1, "feh": 0.06}
_HAVE_LABELS = ("A", "F", "G", "K")

COMMON_COLUMNS = (
    *("obsid", "uid", "gp_id", "designation", "obsdate", "lmjd", "mjd", "planid", "spid"),
    *("fiberid", "ra_obs", "dec_obs", "snru", "snrg", "snrr", "snri", "snrz", "class"),
    *("subclass", "z", "z_err", "ps_id", "mag_ps_g", "mag_ps_r", "mag_ps_i", "mag_ps_z"),
    *("mag_ps_y", "gaia_source_id", "gaia_g_mean_mag", "fibertype", "offsets", "offsets_v"),
    *("ra", "dec"),
)
CATALOGUE_COLUMNS = (*COMMON_COLUMNS, "fibermask", "with_norm_flux")
STELLAR_COLUMNS = (
    *COMMON_COLUMNS,
    *("teff", "teff_err", "logg", "logg_err", "feh", "feh_err", "rv", "rv_err"),
    *("alpha_m", "alpha_m_err", "vsini_lasp"),
)

Row = dict[str, str | int | float]


@contextmanager
def lamost_catalogues(folder: Path) -> Iterator[Callable[[LamostObject], None]]:
    """Write both tables as the survey does: comma, no quotes, -9999 for what is missing.

    Args:
        folder: Where to; the tables appear when the block ends.

    Yields:
        Function that adds a spectrum.

    Raises:
        OutputError: If the system refuses the write.
    """
    with (
        _table(folder / f"{_RELEASE}_catalogue.csv", CATALOGUE_COLUMNS) as catalogue,
        _table(folder / f"{_RELEASE}_stellar.csv", STELLAR_COLUMNS) as stellar,
    ):

        def add(made: LamostObject) -> None:
            """Add a star to both tables, to that of labels if it has any."""
            row = common_row(made)
            catalogue(row | {"fibermask": 0, "with_norm_flux": int(made.is_normalised)})
            if made.subclass.startswith(_HAVE_LABELS):
                stellar(row | label_row(made))

        yield add


def common_row(made: LamostObject) -> Row:
    """The 34 columns that every table of the release has.

    Args:
        made: The object.
    """
    star, number = made.observation.star, made.observation.star.number
    row: Row = {
        "obsid": made.obsid,
        "uid": made.uid,
        "gp_id": number,
        "designation": star.designation.removeprefix("LAMOST "),
        "obsdate": iso_date(made.lmjd),
        "lmjd": made.lmjd,
        "mjd": made.lmjd - 1,
        "planid": made.plan_id,
        "spid": made.spectrograph,
        "fiberid": made.fiber,
        "ra_obs": round(star.ra, 6),
        "dec_obs": round(star.dec, 6),
    }
    row |= {f"snr{band}": round(value, 2) for band, value in made.snr.items()}
    row |= {"class": "STAR", "subclass": made.subclass}
    row |= {"z": round(made.observation.z, 8), "z_err": round(made.observation.z_err, 8)}
    row |= {"ps_id": -9999} | {f"mag_ps_{band}": _NO_MAGNITUDE for band in "grizy"}
    row |= {"gaia_source_id": gaia_source_id(number), "gaia_g_mean_mag": _NO_MAGNITUDE}
    row |= {"fibertype": "Obj", "offsets": 0, "offsets_v": 0.0}
    return row | {"ra": round(star.ra, 6), "dec": round(star.dec, 6)}


def label_row(made: LamostObject) -> Row:
    """The columns of the pipeline's labels: the true ones with its errors.

    Args:
        made: The object.
    """
    observation = made.observation
    rng = np.random.default_rng([_PIPELINE_STREAM, observation.number])
    scale = (1 + (20 / max(made.snr["g"], 1.0)) ** 2) ** 0.5
    true = dict(zip(_ERRORS, observation.star.labels.values(), strict=False))
    row: Row = {}
    for name, error in _ERRORS.items():
        row[name] = round(true[name] + scale * error * rng.normal(), 3)
        row[f"{name}_err"] = round(scale * error, 3)
    row |= {"rv": round(observation.z * SPEED_OF_LIGHT, 2), "rv_err": 5.0}
    return row | {"alpha_m": _MISSING, "alpha_m_err": _MISSING, "vsini_lasp": _MISSING}


def gaia_source_id(star: int) -> str:
    """An identifier of 19 digits, which a float does not hold; blank for one star in fifty.

    Args:
        star: Number of the star.
    """
    return "" if star % 50 == 49 else str(3_400_000_000_000_000_001 + 7919 * star)


@contextmanager
def _table(path: Path, columns: Sequence[str]) -> Iterator[Callable[[Row], object]]:
    with atomic(path) as temp, temp.open("w", encoding="ascii", newline="") as file:
        writer = csv.DictWriter(file, columns, quoting=csv.QUOTE_NONE, lineterminator="\n")
        writer.writeheader()
        yield writer.writerow
