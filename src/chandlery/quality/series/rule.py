"""A series rule: a sentence that should be true of a series, and how to find where it is not."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from chandlery.market.bars import TS
from chandlery.market.symbols import AssetClass
from chandlery.market.timeframes import BASE_TIMEFRAMES, Timeframe
from chandlery.quality.checks import CHECKS, Term
from chandlery.quality.findings import Severity
from chandlery.quality.rules.rule import EVERY_CLASS
from chandlery.quality.series.view import SeriesView
from chandlery.quality.thresholds import Threshold
from chandlery.quality.verdicts import Verdict, Vote, verdict_of

HIT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "ts": TS,
    "ts_end": TS,
    "session": pl.Date,
    "last_session": pl.Date,
    "severity": pl.String,
    "verdict": pl.String,
    "evidence": pl.String,
}
"""One row a hit: it holds for `[ts, ts_end)`; `ts_end` null for one bar. `session` to `last_session`, inclusive, are
the sessions it touches. `severity` null: the rule's. `evidence` is a JSON object."""


_NO_HITS = pl.DataFrame(schema=HIT_SCHEMA)


@dataclass(frozen=True, slots=True)
class SeriesRule:
    """One entry of the series registry.

    Attributes:
        name: the sentence that holds for a good series, in snake case.
        check: number of the check it answers.
        severity: what a finding costs.
        doc: rule, threshold and reason, for the generated reference.
        judge: takes a view, returns hits in `HIT_SCHEMA`, ascending by ts; at most one a ts.
        asset_classes: where the rule means anything.
        timeframes: likewise.
        thresholds: what it compares with.
    """

    name: str
    check: int
    severity: Severity
    doc: str
    judge: Callable[[SeriesView], pl.DataFrame]
    asset_classes: frozenset[AssetClass] = EVERY_CLASS
    timeframes: frozenset[Timeframe] = field(default=frozenset(BASE_TIMEFRAMES))
    thresholds: tuple[Threshold, ...] = ()

    @property
    def term(self) -> Term:
        """The term of the score a finding lowers."""
        return CHECKS[self.check].term

    def applies_to(self, view: SeriesView) -> bool:
        """Return whether the rule means anything for this series."""
        return view.instrument.asset_class in self.asset_classes and view.timeframe in self.timeframes


def no_hits() -> pl.DataFrame:
    """Return a hit frame without rows."""
    return _NO_HITS.clone()


@dataclass(frozen=True, slots=True)
class Hit:
    """One hit with the votes on it."""

    ts: datetime
    session: date
    values: Mapping[str, object]
    votes: Sequence[Vote] = ()
    verdict: Verdict | None = None
    ts_end: datetime | None = None
    last_session: date | None = None
    severity: Severity | None = None

    def as_row(self) -> dict[str, object]:
        """The hit as a row of `HIT_SCHEMA`; without a verdict of its own, that of the votes."""
        facts = {name: _plain(value) for name, value in self.values.items()}
        if self.votes:
            facts["votes"] = [
                {name: _plain(value) for name, value in vote.as_evidence().items()} for vote in self.votes
            ]
        return {
            "ts": self.ts,
            "ts_end": self.ts_end,
            "session": self.session,
            "last_session": self.last_session or self.session,
            "severity": self.severity.value if self.severity else None,
            "verdict": (self.verdict or verdict_of(self.votes)).value,
            "evidence": json.dumps(facts, sort_keys=True),
        }


def hits_frame(hits: Iterable[Hit]) -> pl.DataFrame:
    """Return hits as a frame in `HIT_SCHEMA`, ascending by ts."""
    rows = [hit.as_row() for hit in hits]
    return pl.DataFrame(rows, schema=HIT_SCHEMA).sort("ts", maintain_order=True) if rows else no_hits()


def _plain(value: object) -> object:
    """Return a value JSON has: six significant digits, dates in ISO, NaN and infinity as null."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, date) else value
