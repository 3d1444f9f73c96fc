"""A rule: a sentence that should be true of every bar, and how to find the bars of which it is not."""

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import BASE_TIMEFRAMES, Timeframe
from chandlery.quality.checks import CHECKS, Term
from chandlery.quality.context import AuditContext
from chandlery.quality.findings import OFFENCE_SCHEMA, Severity, empty_offences, evidence
from chandlery.quality.verdicts import Verdict

EVERY_CLASS = frozenset(AssetClass)
TRADED = frozenset({AssetClass.STOCKS, AssetClass.CRYPTO})
"""Classes whose volume counts trades; a filler or a bar without volume means something only there."""

PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the registry.

    Attributes:
        name: the sentence that holds for good bars, in snake case.
        number: of the check it answers (`quality/checks.py`).
        severity: what a finding costs.
        doc: threshold and reason, for the generated reference.
        check: takes the batch (bar columns plus `row`, in arrival order, nulls and duplicates possible) and its
            context; returns the offending rows in `OFFENCE_SCHEMA`, ascending by row.
        asset_classes: where the rule means anything.
        timeframes: likewise.
        holds: whether an offending bar stays out of the bars; a critical one always does.
        verdict: on every finding; what arithmetic proves is confirmed, what a calendar says is suspected.
    """

    name: str
    number: int
    severity: Severity
    doc: str
    check: Callable[[pl.DataFrame, AuditContext], pl.DataFrame]
    asset_classes: frozenset[AssetClass] = EVERY_CLASS
    timeframes: frozenset[Timeframe] = field(default=frozenset(BASE_TIMEFRAMES))
    holds: bool = False
    verdict: Verdict = Verdict.CONFIRMED

    @property
    def term(self) -> Term:
        """The term of the score a finding lowers."""
        return CHECKS[self.number].term

    @property
    def weight(self) -> float:
        """Share of a bar's plausibility one finding takes."""
        return self.severity.weight

    @property
    def is_holding(self) -> bool:
        """Whether an offending bar is held."""
        return self.holds or self.severity is Severity.CRITICAL

    def applies_to(self, context: AuditContext) -> bool:
        """Return whether the rule means anything for this batch."""
        return context.instrument.asset_class in self.asset_classes and context.timeframe in self.timeframes


def offences(bars: pl.DataFrame, offends: pl.Expr, *values: str | pl.Expr) -> pl.DataFrame:
    """Return the rows where `offends` is true (null counts as false), with `values` as evidence."""
    found = bars.filter(offends.fill_null(value=False))
    if found.is_empty():
        return empty_offences()
    return found.select("row", "ts", evidence(*values)).cast(dict(OFFENCE_SCHEMA))  # type: ignore[arg-type]


def is_sound(*columns: str) -> pl.Expr:
    """True where every column is a finite number, so that comparisons mean something."""
    return pl.all_horizontal(pl.col(name).is_finite().fill_null(value=False) for name in columns)
