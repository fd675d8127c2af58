"""The rules that need the whole survey: three columns of the paper, and the bits of the files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from torchfit.files.table_pieces import Table
from torchfit.flags.alpha_fe import AlphaFeRule
from torchfit.flags.bits import ResultFlag
from torchfit.flags.chi2 import Chi2Rule
from torchfit.flags.judgement import Line
from torchfit.flags.snr import SnrRule
from torchfit.flags.velocity import VelocityRule

FLAG_SNR, FLAG_CHI2, FLAG_ALPHA_FE = "flag_snr", "flag_chi2", "flag_alpha_fe"
FLAGS = "flags"


@dataclass(frozen=True)
class JudgedSurvey:
    """A survey with the columns of the rules, and how they came about.

    Args:
        table: The result table with ``flag_snr``, ``flag_chi2``, ``flag_alpha_fe``, and
            all bits in ``flags``.
        explained: Lines that explain how a column was set, by its name.
    """

    table: Table
    explained: Mapping[str, Sequence[Line]]


@dataclass(frozen=True)
class SurveyRules:
    """The rules.

    Args:
        min_snr: Signal-to-noise ratio below which the bit for a low one is set.
        snr: Rule of ``flag_snr``.
        chi2: Rule of ``flag_chi2``.
        alpha_fe: Rule of ``flag_alpha_fe``.
        velocity: Rule of the bit for a velocity that is not sure.
    """

    min_snr: float = 5.0
    snr: SnrRule = field(default_factory=SnrRule)
    chi2: Chi2Rule = field(default_factory=Chi2Rule)
    alpha_fe: AlphaFeRule = field(default_factory=AlphaFeRule)
    velocity: VelocityRule = field(default_factory=VelocityRule)

    def judge(self, table: Table) -> JudgedSurvey:
        """Judge the stars of a survey.

        Args:
            table: The result table; columns of an earlier judgement are replaced.

        Returns:
            The judged survey.
        """
        judgements = {
            FLAG_SNR: self.snr.judge(table),
            FLAG_CHI2: self.chi2.judge(table),
            FLAG_ALPHA_FE: self.alpha_fe.judge(table),
        }
        flags = {name: judgement.flag for name, judgement in judgements.items()}
        judged = table.assign(**flags, **{FLAGS: self._bits(table)})
        explained = {name: judgement.lines for name, judgement in judgements.items()}
        return JudgedSurvey(judged, {**explained, FLAGS: count_bits(judged)})

    def _bits(self, table: Table) -> np.ndarray:
        """The column ``flags`` with the bits of the survey set or cleared."""
        masked = np.zeros(len(table), dtype=bool)
        if "sum_ormask" in table:
            masked = table["sum_ormask"].to_numpy(dtype=float, na_value=np.nan) > 0
        rules = {
            ResultFlag.LOW_SNR: self.snr.ratio(table) < self.min_snr,
            ResultFlag.ORMASK: masked,
            ResultFlag.UNSURE_VELOCITY: self.velocity.is_unsure(table),
        }
        kept = table[FLAGS].to_numpy(dtype=np.int64) & ~sum(map(int, rules))
        return kept + sum(outcome * int(flag) for flag, outcome in rules.items())


def count_bits(table: Table) -> list[Line]:
    """How many stars have each bit.

    Args:
        table: The result table.

    Returns:
        One line per bit, ``bit name stars``.
    """
    flags = table[FLAGS].to_numpy(dtype=np.int64)
    return [
        {"bit": int(flag), "name": str(flag.name), "stars": int((flags & int(flag) > 0).sum())}
        for flag in ResultFlag
    ]
