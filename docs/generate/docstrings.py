"""Docstrings for the site: the roles and equations of reStructuredText become Markdown."""

import functools
import inspect
import re
from typing import Any

import griffe

_ROLE = re.compile(r":(?:class|func|meth|data|mod|attr|exc):`~?([^`]+)`")
_INLINE = re.compile(r":math:`([^`]+)`")
_BLOCK = re.compile(r"^( *)\.\. math::(.*(?:\n(?:\1 +.*| *$))*)", re.MULTILINE)


def to_markdown(text: str) -> str:
    """Translate what our docstrings use of reStructuredText.

    Args:
        text: A docstring.

    Returns:
        The same with ``code`` for roles, and with equations between dollars.
    """
    text = _ROLE.sub(r"`\1`", text)
    text = _INLINE.sub(r"$\1$", text)
    return _BLOCK.sub(lambda found: _equation(found[1], found[2]), text)


def _equation(indent: str, body: str) -> str:
    lines = " ".join(body.split())
    return f"{indent}$$\n{indent}{lines}\n{indent}$$\n"


class ToMarkdown(griffe.Extension):
    """Translates every docstring that mkdocstrings shows."""

    def on_object(self, *, obj: griffe.Object, **unused: Any) -> None:
        """Translate the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = to_markdown(obj.docstring.value)


def summary(target: Any) -> str:
    """First paragraph of a docstring."""
    text = to_markdown(inspect.getdoc(target) or "")
    return " ".join(text.split("\n\n")[0].split())


@functools.cache
def arguments(target: Any) -> dict[str, str]:
    """What the docstrings of a class and its bases, or of a function, say of its arguments.

    Args:
        target: A class or function with docstrings in Google's style.

    Returns:
        Description by name.
    """
    found: dict[str, str] = {}
    for each in reversed(getattr(target, "__mro__", [target])):
        found |= _arguments(each.__doc__ or "")
    return found


def _arguments(text: str) -> dict[str, str]:
    docstring = griffe.Docstring(to_markdown(inspect.cleandoc(text)))
    sections = docstring.parse("google", warnings=False)
    found = [s for s in sections if s.kind is griffe.DocstringSectionKind.parameters]
    return {each.name: " ".join(each.description.split()) for s in found for each in s.value}
