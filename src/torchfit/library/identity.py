"""Recognising one star under the spellings of two catalogues."""

import re

_LEADING_ZEROS = re.compile(r"(?<![0-9.])0+(?=[0-9])")


def star_key(name: str) -> str:
    """Spell a star's name so that two catalogues agree.

    Case, blanks and leading zeros of numbers do not count: "HD 044691", "hd44691" and "HD044691"
    are one star.

    Args:
        name: Name as a catalogue writes it.

    Returns:
        The common spelling; empty for an empty name.
    """
    return _LEADING_ZEROS.sub("", re.sub(r"\s+", "", name).upper())
