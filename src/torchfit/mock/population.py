"""Who is observed: labels, places, velocities and brightness of mock stars."""

from dataclasses import dataclass

import numpy as np

from torchfit.names import LABELS, SPEED_OF_LIGHT

_STAR_STREAM = 0
LOWEST = np.array([3000.0, 0.0, -2.5, -0.4])
HIGHEST = np.array([32000.0, 5.0, 0.5, 0.4])
"""Labels stay within these, in the order of :data:`torchfit.names.LABELS`."""


@dataclass(frozen=True)
class MockStar:
    """A star before anyone observes it.

    Args:
        number: Its number in the survey.
        labels: The true labels by name.
        ra: Right ascension in degrees.
        dec: Declination in degrees.
        z: Redshift of its velocity.
        ebv: Colour excess in magnitudes.
        snr: Signal-to-noise ratio that it is typically observed with.
    """

    number: int
    labels: dict[str, float]
    ra: float
    dec: float
    z: float
    ebv: float
    snr: float

    @property
    def designation(self) -> str:
        """Name by position, as LAMOST makes it: ``LAMOST J042543.91+323730.3``."""
        hours = _sexagesimal(self.ra / 15, 2)
        degrees = _sexagesimal(abs(self.dec), 1)
        return f"LAMOST J{hours}{'-' if self.dec < 0 else '+'}{degrees}"


def _sexagesimal(value: float, digits: int) -> str:
    """Hours or degrees, minutes and seconds; cut, not rounded, so that 60 never appears."""
    units = int(value * 3600 * 10**digits)
    whole, seconds = divmod(units, 60 * 10**digits)
    text = f"{seconds / 10**digits:0{3 + digits}.{digits}f}"
    return f"{whole // 60:02d}{whole % 60:02d}{text}"


@dataclass(frozen=True)
class Population:
    """What a survey or a library is made of.

    Args:
        shares: Shares of cool dwarfs, dwarfs, giants, clump stars, A-F stars and OB stars.
        halo: Share of halo stars among all.
        thick: Share of thick-disk stars among all.
        spread: Additional scatter of every label, in units of its typical error; a library
            needs stars off the usual tracks.
        snr: Median signal-to-noise ratio.
        snr_scatter: Standard deviation of its natural logarithm.
        ebv: Mean colour excess.
    """

    shares: tuple[float, ...]
    halo: float
    thick: float
    spread: float
    snr: float
    snr_scatter: float
    ebv: float

    def draw(self, seed: int, number: int) -> MockStar:
        """Draw a star: the same for the same seed and number, whatever else is drawn.

        Args:
            seed: Seed of the survey.
            number: Number of the star.
        """
        rng = np.random.default_rng([seed, _STAR_STREAM, number])
        fe_h, alpha_fe, dispersion = self._chemistry(rng)
        kind = rng.choice(len(_TRACKS), p=np.array(self.shares) / sum(self.shares))
        teff, logg = _TRACKS[kind](rng, fe_h)
        scatter = self.spread * rng.normal(size=4) * [0.02 * teff, 0.15, 0.1, 0.06]
        labels = np.clip(np.array([teff, logg, fe_h, alpha_fe]) + scatter, LOWEST, HIGHEST)
        velocity = np.clip(rng.normal(0.0, dispersion), -600, 600)
        return MockStar(
            number,
            dict(zip(LABELS, labels.tolist(), strict=True)),
            ra=float(rng.uniform(0, 360)),
            dec=float(np.degrees(np.arcsin(rng.uniform(-0.17, 0.86)))),
            z=float(velocity / SPEED_OF_LIGHT),
            ebv=float(rng.exponential(self.ebv)),
            snr=float(np.clip(self.snr * np.exp(self.snr_scatter * rng.normal()), 3, 500)),
        )

    def _chemistry(self, rng: np.random.Generator) -> tuple[float, float, float]:
        """[Fe/H], [alpha/Fe] and velocity dispersion of a halo, thick-disk or thin-disk star."""
        which = rng.uniform()
        if which < self.halo:
            return rng.normal(-1.5, 0.45), rng.normal(0.28, 0.07), 150.0
        if which < self.halo + self.thick:
            fe_h = rng.normal(-0.55, 0.25)
            return fe_h, rng.normal(0.22 - 0.08 * (fe_h + 0.5), 0.04), 60.0
        fe_h = rng.normal(-0.1, 0.22)
        return fe_h, rng.normal(0.02 - 0.15 * fe_h, 0.035), 35.0


def main_sequence_logg(teff: float) -> float:
    """Surface gravity of an unevolved star."""
    return float(np.interp(teff, [3000, 4000, 5000, 5800, 6500, 8000, 32000],
                           [5.0, 4.7, 4.55, 4.44, 4.3, 4.2, 4.05]))  # fmt: skip


def _cool_dwarf(rng: np.random.Generator, fe_h: float) -> tuple[float, float]:
    teff = rng.uniform(3050, 4000)
    return teff, main_sequence_logg(teff) + rng.normal(0, 0.05)


def _dwarf(rng: np.random.Generator, fe_h: float) -> tuple[float, float]:
    teff = np.clip(rng.normal(5700, 700), 4000, 7200)
    evolved = rng.exponential(0.12) if teff > 5000 else 0.03
    return teff, main_sequence_logg(teff) - evolved + rng.normal(0, 0.04)


def _giant(rng: np.random.Generator, fe_h: float) -> tuple[float, float]:
    logg = 3.6 - rng.exponential(0.9)
    logg = logg if logg > 0.3 else rng.uniform(0.3, 3.0)
    return 4800 + 370 * (logg - 2.5) - 250 * fe_h + rng.normal(0, 80), logg


def _clump(rng: np.random.Generator, fe_h: float) -> tuple[float, float]:
    return 4820 - 200 * fe_h + rng.normal(0, 90), rng.normal(2.45, 0.12)


def _hot(rng: np.random.Generator, fe_h: float) -> tuple[float, float]:
    teff = np.exp(rng.uniform(np.log(7000), np.log(11000)))
    return teff, 4.25 - rng.exponential(0.3)


def _very_hot(rng: np.random.Generator, fe_h: float) -> tuple[float, float]:
    teff = np.exp(rng.uniform(np.log(10500), np.log(31000)))
    return teff, 4.25 - rng.exponential(0.35)


_TRACKS = (_cool_dwarf, _dwarf, _giant, _clump, _hot, _very_hot)
SURVEY = Population((0.05, 0.60, 0.18, 0.08, 0.07, 0.02), 0.03, 0.17, 0.0, 35.0, 0.7, 0.15)
"""Like a survey of the Galaxy: mostly dwarfs of the disk."""
LIBRARY = Population((0.12, 0.36, 0.22, 0.05, 0.15, 0.10), 0.15, 0.25, 1.0, 110.0, 0.4, 0.08)
"""Like a library: spread wide over the labels."""
