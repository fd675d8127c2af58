"""Equations as MathML, which browsers draw themselves: no script, no font, no network."""

import html
import re

from latex2mathml.converter import convert

_EQUATION = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)


def with_mathml(page: str) -> str:
    """Replace the equations of a page.

    Args:
        page: HTML in which pymdownx.arithmatex has marked equations of LaTeX.

    Returns:
        The same with elements ``math``.
    """
    return _EQUATION.sub(lambda found: _mathml(found[1], found[2], found[3]), page)


def _mathml(tag: str, bracket: str, latex: str) -> str:
    display = "block" if bracket == "[" else "inline"
    math = convert(html.unescape(latex).strip(), display=display)
    return f'<{tag} class="equation">{math}</{tag}>'
