"""Readers that a worker process can import."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from torchfit.exceptions import OutputError, SpectrumError
from torchfit.spectra import Spectrum, StarInfo
from torchfit.surveys.reader import SurveyReader

WAVE = np.arange(3950.0, 4450.0)


class Fake(SurveyReader):
    """A source is ``number:share``: that share of the pixels is good.

    ``number:bad`` is refused, ``number:kill`` ends the process, ``number:full`` fills the disk.
    """

    name = "fake"
    lsf_fwhm = None

    def __init__(self, *sources):
        self.given = list(sources)
        self.read_sources = []

    def sources(self):
        return self.given

    def read(self, source):
        self.read_sources.append(source)
        number, _, share = source.partition(":")
        if share == "bad":
            raise SpectrumError(f"{source}: not good")
        if share == "full":
            raise OutputError("no room")
        if share == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        good = np.arange(len(WAVE)) < float(share) * len(WAVE)
        flux = 1 + 0.1 * np.sin(WAVE / 20 + float(number))
        return Spectrum(WAVE, flux, good.astype(float), StarInfo(source))


class Part(Fake):
    """Knows only its sources, and says where it was read."""

    def part(self, sources):
        return Part(*sources)

    def read(self, source):
        assert set(self.given) >= {source}
        assert len(self.given) <= 2
        return super().read(source)


class Stream(Fake):
    """Gives its spectra in an order of its own, all in one pass."""

    sequential = True

    def spectra(self, sources):
        self.passes = getattr(self, "passes", 0) + 1
        yield from super().spectra(sorted(sources, key=lambda source: source[::-1]))


def process_of(number):
    """Where a job runs."""
    return number, os.getpid()


def note(folder, number):
    """A job that leaves a trace, and is killed when told to."""
    if number < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    Path(folder, str(number)).touch()
    return number


def stay(folder, number):
    """A job that says where it runs and does not end."""
    Path(folder, f"{os.getpid()}.pid").touch()
    time.sleep(600)
