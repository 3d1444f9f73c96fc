"""Tally: what the score of a partition is counted from; tallies of its parts add up to that of the whole."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from chandlery.errors import InvalidInput
from chandlery.market.timeframes import Timeframe
from chandlery.quality.checks import Term
from chandlery.quality.findings import Severity
from chandlery.quality.verdicts import Verdict

COSTING_STATES = ("open", "confirmed")
_ABOUT_VALUES = (Term.VALIDITY, Term.PLAUSIBILITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts of a partition or of a part of it; `quality/score.py` says what each counts.

    Raises:
        InvalidInput: a part is larger than its whole, or below zero.
    """

    expected: int = 0
    present: int = 0
    judged: int = 0
    sound: int = 0
    plausibility: float = 0.0
    compared: int = 0
    consistency: float = 0.0
    timed: int = 0
    timely: float = 0.0
    has_major: bool = False
    has_critical: bool = False

    def __post_init__(self) -> None:
        counts = (self.expected, self.present, self.judged, self.timed)
        parts: tuple[tuple[float, int], ...] = (
            (self.sound, self.judged),
            (self.plausibility, self.sound),
            (self.compared, self.judged),
            (self.consistency, self.compared),
            (self.timely, self.timed),
        )
        # Sums of shares may end a rounding above the count of what was summed.
        if min(counts) < 0 or any(not 0 <= part <= whole + 1e-9 * whole for part, whole in parts):
            raise InvalidInput(f"A tally was {self}; counts are not negative, and no part exceeds its whole.")

    def merge(self, other: "Tally") -> "Tally":
        """Return the tally of both parts together."""
        return Tally(
            expected=self.expected + other.expected,
            present=self.present + other.present,
            judged=self.judged + other.judged,
            sound=self.sound + other.sound,
            plausibility=self.plausibility + other.plausibility,
            compared=self.compared + other.compared,
            consistency=self.consistency + other.consistency,
            timed=self.timed + other.timed,
            timely=self.timely + other.timely,
            has_major=self.has_major or other.has_major,
            has_critical=self.has_critical or other.has_critical,
        )


def costing(findings: pl.DataFrame) -> pl.DataFrame:
    """Return the findings that lower a score.

    Args:
        findings: the columns of `FINDING_SCHEMA`, and `state` if they have one; without it all are open.
    """
    verdicts = [verdict.value for verdict in Verdict if verdict.costs]
    costs = pl.col("verdict").is_in(verdicts) & (pl.col("term") != Term.NONE.value)
    costs &= pl.col("severity") != Severity.INFO.value
    if "state" in findings.columns:
        costs &= pl.col("state").is_in(COSTING_STATES)
    return findings.filter(costs)


def count_bars(
    bars: pl.DataFrame,
    findings: pl.DataFrame,
    timeframe: Timeframe,
    *,
    expected: int,
    is_compared: bool = False,
    timeliness: float | None = None,
) -> Tally:
    """Count a partition.

    Args:
        bars: the judged bars, in any order, unique by ts: `ts`, `session`, `is_present` (published, regular, no
            filler); those held in quarantine are not present.
        findings: those that touch the partition.
        timeframe: 1m or 1d.
        expected: bars the session should have.
        is_compared: whether the session has a second witness.
        timeliness: of the session, in [0, 1]; None where it does not exist.
    """
    charged = costing(findings)
    about_values = (*_ABOUT_VALUES,) if is_compared else (*_ABOUT_VALUES, Term.CONSISTENCY)
    marked = bars.sort("ts")
    fatal = _covering(marked, charged, timeframe, _ABOUT_VALUES)["criticals"] > 0
    plausible = _kept(_covering(marked, charged, timeframe, about_values)).filter(~fatal).sum()
    consistent = _kept(_covering(marked, charged, timeframe, (Term.CONSISTENCY,))).sum()
    severities = set(charged["severity"])
    return Tally(
        expected=expected,
        present=int(marked["is_present"].sum()),
        judged=marked.height,
        sound=marked.height - int(fatal.sum()),
        plausibility=float(plausible),
        compared=marked.height if is_compared else 0,
        consistency=float(consistent) if is_compared else 0.0,
        timed=int(timeliness is not None),
        timely=0.0 if timeliness is None else timeliness,
        has_major=Severity.MAJOR.value in severities,
        has_critical=Severity.CRITICAL.value in severities,
    )


def _covering(
    bars: pl.DataFrame, findings: pl.DataFrame, timeframe: Timeframe, terms: Collection[Term]
) -> pl.DataFrame:
    """Return for each bar, in its place, how many critical, major and minor findings of the terms cover it."""
    numbered = bars.select("ts", "session").with_row_index("place")
    spans = findings.filter(pl.col("term").is_in([term.value for term in terms])).select(
        "severity",
        "last_session",
        since=pl.col("ts"),
        until=pl.col("ts_end").fill_null(pl.col("ts") + timedelta(minutes=1)),
        first_session=pl.col("session"),
    )
    if timeframe is Timeframe.D1:
        covers = (
            pl.col("first_session") <= pl.col("session"),
            pl.col("session") <= pl.col("last_session"),
        )
    else:
        covers = (pl.col("since") <= pl.col("ts"), pl.col("ts") < pl.col("until"))
    met = numbered.join_where(spans, *covers).select("place", "severity")
    counts = met.group_by("place").agg(
        (pl.col("severity") == severity.value).sum().cast(pl.Int64).alias(f"{severity.value}s")
        for severity in (Severity.CRITICAL, Severity.MAJOR, Severity.MINOR)
    )
    return (
        numbered.select("place")
        .join(counts, on="place", how="left", maintain_order="left")
        .with_columns(pl.exclude("place").fill_null(0))
        .drop("place")
    )


def _kept(counts: pl.DataFrame) -> pl.Series:
    """Return the product of (1 - weight) for each bar, from counts, so that the order of findings is no matter."""
    kept = pl.lit(1.0)
    for severity in (Severity.CRITICAL, Severity.MAJOR, Severity.MINOR):
        kept *= pl.lit(1.0 - severity.weight).pow(pl.col(f"{severity.value}s"))
    return counts.select(kept.alias("kept"))["kept"]
