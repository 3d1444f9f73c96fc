"""What a run of the judges did, in figures."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from chandlery.store.recorded_findings import Recorded


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One stretch of a series or a venue that was judged and recorded; `days` are the sessions of a series."""

    name: str
    calendar: str
    timeframe: str
    days: tuple[date, ...]
    sessions: int
    bars: int
    findings: pl.DataFrame
    recorded: Recorded
    failed_rules: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class SeriesFailure:
    """A series or venue that could not be judged; what was known of it stays."""

    name: str
    timeframe: str
    reason: str


@dataclass(frozen=True, slots=True)
class JudgeReceipt:
    """What was judged.

    Attributes:
        series: how many had something to judge, those that failed not counted.
        sessions: partitions (series and session) that were judged.
        bars: bars in them.
        findings: what the rules found there, by rule.
        verdicts: the same, by verdict.
        severities: the same, by severity.
        recorded: how many findings opened, opened again, changed, were repaired.
        failed_rules: names of rules that raised, with the number of stretches they raised in.
        failures: series and venues that could not be judged.
        seconds: it took.
    """

    series: int = 0
    sessions: int = 0
    bars: int = 0
    findings: Mapping[str, int] = field(default_factory=dict)
    verdicts: Mapping[str, int] = field(default_factory=dict)
    severities: Mapping[str, int] = field(default_factory=dict)
    recorded: Recorded = field(default_factory=Recorded)
    failed_rules: Mapping[str, int] = field(default_factory=dict)
    failures: tuple[SeriesFailure, ...] = ()
    seconds: float = 0.0

    @property
    def bars_per_second(self) -> float:
        """Bars judged by the second."""
        return self.bars / max(self.seconds, 1e-9)


def judge_receipt(
    series: Iterable[Judged], venues: Iterable[Judged], failures: Iterable[SeriesFailure], *, seconds: float
) -> JudgeReceipt:
    """Return the figures of a run; venues have no bars of their own."""
    mine, theirs = tuple(series), tuple(venues)
    both = (*mine, *theirs)
    return JudgeReceipt(
        series=len({(item.name, item.timeframe) for item in mine}),
        sessions=sum(item.sessions for item in mine),
        bars=sum(item.bars for item in mine),
        findings=_counted(both, "rule"),
        verdicts=_counted(both, "verdict"),
        severities=_counted(both, "severity"),
        recorded=sum((item.recorded for item in both), Recorded()),
        failed_rules=dict(Counter(rule for item in both for rule in item.failed_rules)),
        failures=tuple(failures),
        seconds=seconds,
    )


def _counted(items: Iterable[Judged], column: str) -> dict[str, int]:
    names = pl.concat([pl.DataFrame(schema={column: pl.String}), *(item.findings.select(column) for item in items)])
    counts = names.group_by(column).len().sort("len", column, descending=[True, False])
    return dict(counts.iter_rows())
