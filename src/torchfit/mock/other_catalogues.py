"""What other catalogues say of mock stars: true labels with the errors that each is known for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from torchfit.mock.lamost import LamostObject
from torchfit.mock.lamost_catalogue import gaia_source_id
from torchfit.mock.population import main_sequence_logg

Columns = dict[str, np.ndarray]
"""A table by the names that its makers give the columns."""

_STREAM = 5
_R_BP, _R_RP = 3.24, 1.91
_COLOURS = (
    (3000, 3.1), (3500, 2.3), (4000, 1.66), (4500, 1.25), (5000, 1.0), (5772, 0.82), (6500, 0.58),
    (7500, 0.32), (9500, 0.0), (15000, -0.2), (32000, -0.42),
)  # fmt: skip
"""Temperature in K and BP - RP of dwarfs, roughly."""

MEMBERS_OF = {"M67": -0.02, "M35": -0.04, "Praesepe": 0.25}
"""Clusters and the [Fe/H] that Fu et al. 2022 give them."""
_MEMBERS = 40


@dataclass(frozen=True)
class OtherStars:
    """Mock stars as others see them.

    Args:
        objects: What the survey has observed.
        seed: Seed of the errors.
    """

    objects: Sequence[LamostObject]
    seed: int = 0

    def values(self, name: str) -> np.ndarray:
        """A label, or ``ra``, ``dec`` or ``ebv``, of every object."""
        stars = [each.observation.star for each in self.objects]
        return np.array([star.labels[name] if name in star.labels else getattr(star, name)
                         for star in stars])  # fmt: skip

    def where(self, inside: np.ndarray) -> "OtherStars":
        """Some of them."""
        return OtherStars(
            [self.objects[place] for place in np.flatnonzero(inside).tolist()], self.seed
        )

    def within(self, low: float, high: float) -> "OtherStars":
        """Those of a range of temperatures in K."""
        teff = self.values("teff")
        return self.where((teff >= low) & (teff < high))

    def measured(self, catalogue: int, errors: Mapping[str, float]) -> dict[str, np.ndarray]:
        """True labels with errors, the same at every visit of a star.

        Args:
            catalogue: Number of the catalogue, so that each has errors of its own.
            errors: Standard deviation by label; below 1 it is relative for temperatures.
        """
        found = {}
        for place, (name, error) in enumerate(errors.items()):
            numbers = [each.observation.star.number for each in self.objects]
            noise = np.array([
                np.random.default_rng([self.seed, _STREAM, catalogue, place, number]).normal()
                for number in numbers
            ])  # fmt: skip
            true = self.values(name)
            found[name] = true + noise * (error * true if name == "teff" and error < 1 else error)
        return found

    @property
    def gaia_ids(self) -> np.ndarray:
        """Identifiers of Gaia; 0 for a star without one."""
        return np.array([int(gaia_source_id(each.observation.star.number) or 0)
                         for each in self.objects], dtype=np.int64)  # fmt: skip


def apogee(stars: OtherStars) -> Columns:
    """Columns of ``allStar-r12-l33.fits`` that are needed to use it."""
    some = stars.within(3000.0, 7500.0)
    n, labels = len(some.objects), some.measured(1, {"teff": 40.0, "logg": 0.06, "fe_h": 0.03})
    alpha = some.measured(2, {"alpha_fe": 0.03})["alpha_fe"]
    m_h = labels["fe_h"] + 0.01
    zero = np.zeros(n, dtype=np.int32)
    return {
        "APOGEE_ID": np.array([f"2M{place:016d}" for place in range(n)], dtype="S18"),
        "RA": some.values("ra"), "DEC": some.values("dec"),
        "STARFLAG": zero, "ASPCAPFLAG": np.where(np.arange(n) % 20 == 19, 128, 0).astype(np.int32),
        "EXTRATARG": zero.astype(np.int16), "GAIA_SOURCE_ID": some.gaia_ids,
        "TEFF": _single(labels["teff"]), "LOGG": _single(labels["logg"]), "M_H": _single(m_h),
        "ALPHA_M": _single(alpha + labels["fe_h"] - m_h), "FE_H": _single(labels["fe_h"]),
    }  # fmt: skip


def hotpayne(stars: OtherStars) -> Columns:
    """Columns of J/A+A/662/A66, found by the name of the spectrum."""
    some = stars.within(7500.0, 1e9)
    names = [
        f"20000101-{each.plan_id}-{each.spectrograph:02d}-{each.fiber:03d}".ljust(36)
        for each in some.objects
    ]
    labels = some.measured(3, {"teff": 0.04, "logg": 0.15, "fe_h": 0.2})
    return {
        "SpecID": np.array(names, dtype="U36"),
        "RAdeg": some.values("ra"), "DEdeg": some.values("dec"),
        "Teff": labels["teff"], "logg": labels["logg"], "__Fe_H_": labels["fe_h"],
    }  # fmt: skip


def pastel(stars: OtherStars) -> Columns:
    """Columns of B/pastel: two rows for each star, of which a part lacks [Fe/H]."""
    some = stars.within(4000.0, 7500.0)
    rows = [some.measured(number, {"teff": 60.0, "logg": 0.1, "fe_h": 0.07}) for number in (4, 5)]
    teff, logg, fe_h = (np.concatenate([row[n] for row in rows]) for n in ("teff", "logg", "fe_h"))
    fe_h[::7] = np.nan
    return {
        "_RA": np.tile(some.values("ra"), 2), "_DE": np.tile(some.values("dec"), 2),
        "Teff": np.round(teff), "logg": logg, "__Fe_H_": fe_h,
    }  # fmt: skip


def gaia_eso(stars: OtherStars) -> Columns:
    """Columns of J/A+A/676/A129: hot stars, and a few others."""
    some = stars.within(7000.0, 1e9)
    labels = some.measured(6, {"teff": 0.05, "logg": 0.15, "fe_h": 0.15})
    n = len(some.objects)
    return {
        "CNAME": np.array([f"{place:08d}-{place:07d}" for place in range(n)], dtype="U16"),
        "RA": some.values("ra"), "DECLINATION": some.values("dec"),
        "TEFF": labels["teff"], "LOGG": labels["logg"], "FEH": labels["fe_h"],
    }  # fmt: skip


def members(stars: OtherStars) -> Columns:
    """Members of clusters: dwarfs and giants whose true [Fe/H] is near that of the cluster."""
    fe_h, free = stars.values("fe_h"), np.ones(len(stars.objects), dtype=bool)
    names = ("Cluster", "ra", "dec", "__Fe_H_")
    columns: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for cluster, mean in MEMBERS_OF.items():
        place = np.flatnonzero(free & (np.abs(fe_h - mean) < 0.15))[:_MEMBERS]
        free[place] = False
        columns["Cluster"].append(np.full(len(place), cluster))
        columns["__Fe_H_"].append(np.full(len(place), mean))
        for name in ("ra", "dec"):
            columns[name].append(stars.values(name)[place])
    return {name: np.concatenate(pieces) for name, pieces in columns.items()}


def gaia(stars: OtherStars) -> Columns:
    """Columns of ``gaia_source`` of DR3."""
    teff, ebv, n = stars.values("teff"), stars.values("ebv"), len(stars.objects)
    known = stars.gaia_ids > 0
    rp = np.full(n, 13.0)
    colour = bp_rp(teff) + (_R_BP - _R_RP) * ebv
    columns: Columns = {
        "source_id": stars.gaia_ids, "ra": stars.values("ra"), "dec": stars.values("dec"),
        "pmra": np.zeros(n), "pmdec": np.zeros(n), "phot_g_mean_mag": rp + 0.6 * colour,
        "phot_bp_mean_mag": rp + colour, "phot_rp_mean_mag": rp,
    }  # fmt: skip
    columns |= {
        f"phot_{band}_mean_flux_over_error": np.full(n, 500.0) for band in ("g", "bp", "rp")
    }
    return {name: values[known] for name, values in columns.items()}


def reddening(stars: OtherStars) -> Columns:
    """E(B-V) by place."""
    return {"ra": stars.values("ra"), "dec": stars.values("dec"), "ebv": stars.values("ebv")}


def imig_logg(stars: OtherStars, sources: Sequence[str]) -> Columns:
    """What a second emulator, whose library has gravities of Imig, would have measured."""
    return {
        "source": np.array(sources, dtype=object),
        "logg": stars.measured(7, {"logg": 0.1})["logg"],
    }


def bp_rp(teff: np.ndarray) -> np.ndarray:
    """Colour of dwarfs of a temperature in K, in magnitudes."""
    return np.interp(teff, *np.array(_COLOURS, dtype=float).T)


def isochrone() -> tuple[np.ndarray, np.ndarray]:
    """Temperature in K and gravity of the mock's main sequence and giant branch."""
    dwarfs, giants = np.linspace(3200.0, 6300.0, 40), np.linspace(3.6, 0.5, 30)
    logg = [main_sequence_logg(teff) for teff in dwarfs]
    bridge = np.linspace(6300.0, 5200.0, 10)[1:-1]
    return (
        np.concatenate([dwarfs, bridge, 4800 + 370 * (giants - 2.5)]),
        np.concatenate([logg, np.linspace(4.3, 3.65, 10)[1:-1], giants]),
    )


def _single(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)
