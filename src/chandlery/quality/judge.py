"""Judge a series or a venue: every applicable rule, and a rule that fails is a finding about the rule."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from chandlery.market.calendar import ZONES
from chandlery.market.findings import WORKS
from chandlery.quality.checks import Term
from chandlery.quality.findings import FINDING_SCHEMA, Severity
from chandlery.quality.series.registry import series_rules_for
from chandlery.quality.series.rule import HIT_SCHEMA, SeriesRule
from chandlery.quality.series.view import SeriesView
from chandlery.quality.venue.registry import venue_rules_for
from chandlery.quality.venue.rule import VENUE_HIT_SCHEMA, VenueRule
from chandlery.quality.venue.view import VenueView
from chandlery.quality.verdicts import Verdict

_HIT_COLUMNS = list(HIT_SCHEMA)
_RAISED = (
    *(pl.exceptions.PolarsError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RuntimeError),
)
"""What a rule that does not work raises; one that is killed or out of memory must end the run."""


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What the rules say.

    Attributes:
        findings: `FINDING_SCHEMA` without `row`, of a venue with `instrument_id` (null: about the venue) in front;
            ascending by ts and rule, unique by (instrument_id, ts, rule).
        rules: the names of what was evaluated: every rule, and `rule_works_<rule>` of each.
        failed: the names of those rules that raised; what they found before stays, and `rule_works_<rule>` is found.
    """

    findings: pl.DataFrame
    rules: tuple[str, ...]
    failed: tuple[str, ...]


def judge_series(view: SeriesView, rules: Iterable[SeriesRule] | None = None) -> Judgement:
    """Judge one series over its sessions `[start, end)`."""
    chosen = series_rules_for(view) if rules is None else tuple(rule for rule in rules if rule.applies_to(view))
    found, failed = [], []
    for rule in chosen:
        try:
            hits = rule.judge(view)
            if hits.height or hits.columns != _HIT_COLUMNS:
                found.append(_named(hits.select(*HIT_SCHEMA), rule))
        except _RAISED as error:
            failed.append(rule.name)
            found.append(_named(_failure(error, view.instrument.calendar, view), rule, is_failure=True))
    return _judgement(found, chosen, failed, view.start, view.end)


def judge_venue(view: VenueView, rules: Iterable[VenueRule] | None = None) -> Judgement:
    """Judge all series of a calendar together over the sessions `[start, end)`."""
    chosen = venue_rules_for(view) if rules is None else tuple(rule for rule in rules if rule.applies_to(view))
    found, failed = [], []
    for rule in chosen:
        try:
            hits = rule.judge(view).select(*VENUE_HIT_SCHEMA)
            named = _named(hits, rule)
        except _RAISED as error:
            failed.append(rule.name)
            nobody = pl.lit(None, dtype=pl.Int64).alias("instrument_id")
            named = _named(_failure(error, view.calendar, view).select(nobody, *HIT_SCHEMA), rule, is_failure=True)
        found.append(named)
    return _judgement(found, chosen, failed, view.start, view.end, venue=True)


def _judgement(
    found: list[pl.DataFrame],
    chosen: Iterable[SeriesRule] | Iterable[VenueRule],
    failed: list[str],
    start: date,
    end: date,
    *,
    venue: bool = False,
) -> Judgement:
    columns = {name: dtype for name, dtype in FINDING_SCHEMA.items() if name != "row"}
    key = ["ts", "rule"]
    if venue:
        columns, key = {"instrument_id": pl.Int64, **columns}, ["ts", "rule", "instrument_id"]
    every = pl.concat([pl.DataFrame(schema=columns), *(frame.select(*columns) for frame in found)])
    names = [rule.name for rule in chosen]
    rules = (*names, *(WORKS + name for name in names))
    if every.is_empty():
        return Judgement(every, rules, tuple(failed))
    inside = (pl.col("session") < end) & (pl.col("last_session") >= start)
    kept = every.filter(inside).sort(key).unique(key, keep="first", maintain_order=True)
    return Judgement(kept, rules, tuple(failed))


def _named(hits: pl.DataFrame, rule: SeriesRule | VenueRule, *, is_failure: bool = False) -> pl.DataFrame:
    severity = Severity.MINOR if is_failure else rule.severity
    # A rule that could not look costs nothing: the bars are not to blame.
    term = Term.NONE if is_failure else rule.term
    return hits.with_columns(
        # At the local midnight of a failure may lie a day bar the rule found something about.
        rule=pl.lit(WORKS + rule.name if is_failure else rule.name),
        check=pl.lit(rule.check, dtype=pl.Int16),
        severity=pl.col("severity").fill_null(severity.value),
        term=pl.lit(term.value),
    )


def _failure(error: Exception, calendar: str, view: SeriesView | VenueView) -> pl.DataFrame:
    """Return a hit about all judged sessions: a later judgement of some of them, in which the rule works, closes it."""
    lines, start = str(error).splitlines(), view.start
    ts = datetime(start.year, start.month, start.day, tzinfo=ZoneInfo(ZONES[calendar])).astimezone(UTC)
    row = {
        "ts": ts,
        "ts_end": None,
        "session": start,
        "last_session": view.end - timedelta(days=1),
        "severity": None,
        "verdict": Verdict.SUSPECTED.value,
        "evidence": json.dumps({"rule_raised": type(error).__name__, "error": lines[0] if lines else ""}),
    }
    return pl.DataFrame([row], schema=HIT_SCHEMA)
