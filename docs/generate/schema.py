"""Tables of the catalogue: its columns and flags."""

import inspect
from collections.abc import Sequence

from generate.docstrings import to_markdown
from generate.markdown import code, table
from torchfit import exceptions
from torchfit.catalogue.schema import Column, catalogue_columns
from torchfit.flags.bits import MEANINGS
from torchfit.names import LABELS

EXTRA = "posteriors", "intervals"


def column_table() -> str:
    """Every column that a catalogue can have, in its order."""
    return _columns(all_columns())


def paper_table() -> str:
    """The columns of the paper's Table 1, with its names."""
    rows = [
        [code(each.name), each.paper, each.unit or "–", each.text]
        for each in all_columns()
        if each.paper
    ]
    return table(["column", "in the paper", "unit", "meaning"], rows)


def all_columns() -> tuple[Column, ...]:
    """Columns of a catalogue with posteriors, intervals and everything joined."""
    return catalogue_columns(LABELS, sampled=True, intervals=True)


def _columns(columns: Sequence[Column]) -> str:
    rows = [[code(c.name), c.unit or "–", c.dtype.lower(), c.text, code(c.ucd)] for c in columns]
    return table(["column", "unit", "type", "meaning", "UCD"], rows)


def flag_table() -> str:
    """The bits of the column ``flags``."""
    rows = [[int(flag), code(flag.name), text] for flag, text in MEANINGS.items()]
    return table(["bit", "name", "meaning"], rows)


def exception_table() -> str:
    """The errors and warnings of torchfit."""
    kinds = [
        each
        for each in vars(exceptions).values()
        if inspect.isclass(each) and each.__module__ == exceptions.__name__
    ]
    rows = [[code(kind.__name__), _first(kind), _bases(kind)] for kind in kinds]
    return table(["name", "meaning", "a kind of"], rows)


def _first(kind: type) -> str:
    return to_markdown(inspect.getdoc(kind) or "").split("\n\n")[0]


def _bases(kind: type) -> str:
    return ", ".join(code(base.__name__) for base in kind.__bases__)
