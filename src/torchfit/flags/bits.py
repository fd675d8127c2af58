"""The bits of the ``flags`` column."""

from enum import IntFlag


class ResultFlag(IntFlag):
    """What a user should know of a star's labels; 0 is good."""

    EDGE = 1 << 0
    """A label stands on the edge of the library's range."""
    NOT_CONVERGED = 1 << 1
    """The fit ended for another reason than having come to rest."""
    POOR_MATCH = 1 << 2
    """No template correlates well with the spectrum: another kind of object, or noise."""
    FEW_PIXELS = 1 << 3
    """Less than half of the emulator's pixels had a say."""
    NO_ERRORS = 1 << 4
    """The survey publishes no flux errors; chi2 and label errors rest on an estimate."""
