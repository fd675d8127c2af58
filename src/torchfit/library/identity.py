"""Recognising one star under the spellings of two catalogues."""

import re

_LEADING_ZEROS = re.compile(r"(?<![0-9.])0+(?=[0-9])")
_DURCHMUSTERUNG = re.compile(r"(BD|CD|CPD)([+-])(?:(\d{1,2})_+|(\d{2}))(\d{1,6}[A-Z]?)$")
"""Zone and number within it: two numbers, with or without a blank in between."""


def star_key(name: str) -> str:
    """Spell a star's name so that two catalogues agree.

    Case, blanks and leading zeros of numbers do not count: "HD 044691", "hd44691" and "HD044691"
    are one star. A blank between two numbers does: BD+01 2916 is not BD+12 916.

    Args:
        name: Name as a catalogue writes it.

    Returns:
        The common spelling; empty for an empty name.
    """
    key = re.sub(r"(?<=\d)\s+(?=\d)", "_", name.upper())
    key = _DURCHMUSTERUNG.sub(r"\1\2\3\4_\5", re.sub(r"\s+", "", key))
    return _LEADING_ZEROS.sub("", key)
