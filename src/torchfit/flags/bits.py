"""The bits of the ``flags`` column: one bit, one rule, one meaning."""

from enum import IntFlag


class ResultFlag(IntFlag):
    """What a user should know of a star's labels; 0 is good. :data:`MEANINGS` explains them."""

    EDGE = 1 << 0
    NOT_CONVERGED = 1 << 1
    POOR_MATCH = 1 << 2
    FEW_PIXELS = 1 << 3
    NO_ERRORS = 1 << 4
    OUTSIDE_SUPPORT = 1 << 5
    EMISSION = 1 << 6
    MANY_MASKED = 1 << 7
    ORMASK = 1 << 8
    FAR_FROM_START = 1 << 9
    LOW_SNR = 1 << 10
    VELOCITY = 1 << 11
    NO_ALPHA_FE = 1 << 12
    PECULIAR = 1 << 13
    NOT_MIXED = 1 << 14
    INVALID = 1 << 15
    UNSURE_VELOCITY = 1 << 16


MEANINGS = {
    ResultFlag.EDGE: "A label stands on the edge of the library's range, or is held back there",
    ResultFlag.NOT_CONVERGED: "The fit ended before it came to rest",
    ResultFlag.POOR_MATCH: "No template correlates well: another kind of object, or noise",
    ResultFlag.FEW_PIXELS: "Less than half of the emulator's pixels are good",
    ResultFlag.NO_ERRORS: "The survey has no flux errors: chi2 and errors rest on an estimate",
    ResultFlag.OUTSIDE_SUPPORT: "Too few templates near the labels: the emulator extrapolates",
    ResultFlag.EMISSION: "A Balmer or nebular line is in emission relative to the model",
    ResultFlag.MANY_MASKED: "Many pixels are bad between the first and the last good one",
    ResultFlag.ORMASK: "A pixel was flagged in at least one exposure: sum_ormask is above 0",
    ResultFlag.FAR_FROM_START: "Start and fit disagree: a label left the interval of the matches",
    ResultFlag.LOW_SNR: "The S/N in the band of the star's class is below min_snr",
    ResultFlag.VELOCITY: "A large velocity is left in the spectrum: its redshift is suspicious",
    ResultFlag.NO_ALPHA_FE: "The library has no [alpha/Fe], so the star has none",
    ResultFlag.PECULIAR: "Much more than noise is left over: no single star of the library's kind",
    ResultFlag.NOT_MIXED: "The chains of its sampled posterior do not agree: R-hat is too large",
    ResultFlag.INVALID: "A label, its error or chi2 cannot be true: not a number, or absurd",
    ResultFlag.UNSURE_VELOCITY: "Its measured velocity is not sure: two peaks (a double?) or noise",
}
"""Meaning by bit."""
