"""Findings: what a rule objects to, with its evidence."""

from enum import StrEnum

import polars as pl

from chandlery.market.bars import TS
from chandlery.market.findings import FINDING_SCHEMA

__all__ = ["FINDING_SCHEMA", "OFFENCE_SCHEMA", "Severity", "empty_offences", "evidence"]


class Severity(StrEnum):
    """How much a finding costs; the score takes the bar's plausibility times `1 - weight`."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    INFO = "info"

    @property
    def weight(self) -> float:
        """Share of the bar's plausibility that is lost."""
        return _WEIGHTS[self]


_WEIGHTS = {Severity.CRITICAL: 1.0, Severity.MAJOR: 0.5, Severity.MINOR: 0.15, Severity.INFO: 0.0}

OFFENCE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {"row": pl.UInt32, "ts": TS, "evidence": pl.String}
"""What a rule returns. `row` is the bar's place in the batch, null when the finding is about no bar."""

_NO_OFFENCES = pl.DataFrame(schema=OFFENCE_SCHEMA)


def empty_offences() -> pl.DataFrame:
    """Return an offence frame without rows."""
    return _NO_OFFENCES.clone()


def evidence(*values: pl.Expr | str) -> pl.Expr:
    """JSON object of the named values; NaN and infinity, which JSON lacks, become null."""
    return pl.struct(*values).struct.json_encode().alias("evidence")
