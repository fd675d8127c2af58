import logging
from pathlib import Path

import numpy as np

from torchfit.files.fits_stream import TableLayout
from torchfit.surveys.mastar_findings import LayoutFindings

DTYPE = np.dtype([("WAVE", ">f4", (3,)), ("MASK", ">i4", (3,))])
LAYOUT = TableLayout("", 2, DTYPE, {})


def test_one_line_says_what_was_found(caplog):
    rows = np.array([([1, 2, 3], [0, 4, 0]), ([1, 2, 4], [1, 0, 0])], dtype=DTYPE)
    findings = LayoutFindings(Path("spectra.fits"))
    with caplog.at_level(logging.INFO):
        for row in rows:
            findings.note(LAYOUT, row)
        findings.log()
    (line,) = caplog.messages
    assert line == (
        "spectra.fits: table without name, 3 pixels, WAVE >f4, MASK >i4; 2 rows read, 1 with "
        "another wavelength axis than the first; mask bits 0 2; no PREDISP"
    )


def test_nothing_read_is_nothing_said(caplog):
    with caplog.at_level(logging.INFO):
        LayoutFindings(Path("spectra.fits")).log()
    assert not caplog.messages
