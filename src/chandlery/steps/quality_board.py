"""Quality as a person looks at it: what stands by rule, how sessions score, what is missing and why."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches

from chandlery.errors import InvalidInput
from chandlery.quality.candles import RULE as CANDLE_RULE
from chandlery.quality.findings import Severity
from chandlery.quality.rules.registry import RULES
from chandlery.quality.series.registry import SERIES_RULES
from chandlery.quality.venue.registry import VENUE_RULES
from chandlery.reports.gap_chart import Gap, gap_chart_svg
from chandlery.reports.heat_map import heat_map_svg
from chandlery.store.bars import VANISHED as BARS_VANISHED
from chandlery.store.finding_board import StandingRule, standing_by_rule
from chandlery.store.quality_pictures import last_scored_session, session_marks, stored_gaps
from chandlery.store.warehouse import Warehouse

__all__ = [
    "GapBoard",
    "RuleSentence",
    "ScoreBoard",
    "StandingRule",
    "gap_board",
    "last_year",
    "require_rule",
    "rule_board",
    "rule_sentences",
    "score_board",
]

_YEAR = timedelta(days=366)
"""A year of sessions fits one picture."""
_WEEK = 7
_UNEXPLAINED = frozenset({"suspected_outage", "empty_answer", "unknown"})
_WORST, _GOOD = 25, 0.99


@dataclass(frozen=True, slots=True)
class RuleSentence:
    """One rule of any registry: its sentence, the check it answers, what it costs, its documentation."""

    name: str
    check: int
    severity: Severity
    doc: str


def rule_sentences() -> tuple[RuleSentence, ...]:
    """Return every rule, gate, series and venue, ascending by check and name."""
    gate = [RuleSentence(rule.name, rule.number, rule.severity, rule.doc) for rule in RULES.values()]
    series = [RuleSentence(rule.name, rule.check, rule.severity, rule.doc) for rule in SERIES_RULES.values()]
    venue = [RuleSentence(rule.name, rule.check, rule.severity, rule.doc) for rule in VENUE_RULES.values()]
    return tuple(sorted([*gate, *series, *venue], key=lambda rule: (rule.check, rule.name)))


def require_rule(name: str) -> None:
    """Refuse a name that no rule has.

    Raises:
        InvalidInput: what was asked, and the names that are like it.
    """
    others = (BARS_VANISHED, CANDLE_RULE, "batch_is_blocked")
    known = {*(rule.name for rule in rule_sentences()), *others}
    if name in known or name.startswith("rule_works_"):
        return
    near = get_close_matches(name, sorted(known), n=3)
    hint = f"; near to it: {', '.join(near)}" if near else ""
    raise InvalidInput(f"Rule was {name!r}, which there is none of (docs/reference/rules.md){hint}.")


def rule_board(warehouse: Warehouse, start: date, end: date) -> dict[str, StandingRule]:
    """Return what stands against the sessions `[start, end)`, by rule; a rule without findings is absent."""
    return standing_by_rule(warehouse, start, end)


@dataclass(frozen=True, slots=True)
class ScoreBoard:
    """Scores of some sessions.

    Attributes:
        heat_map: symbol by session, as SVG.
        sessions: partitions in it.
        mean: mean score; None without any.
        validation_rate: sound bars / judged bars over the last week of them; None when none was judged.
        worst: the 25 lowest scores as rows, below 0.99.
    """

    heat_map: str
    sessions: int
    mean: float | None
    validation_rate: float | None
    worst: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True)
class GapBoard:
    """Gaps that touch some sessions: a chart as SVG, missing bars by reason, and the gaps nobody has explained."""

    chart: str
    gaps: int
    missing: Mapping[str, int]
    unexplained: tuple[Mapping[str, object], ...]


def last_year(warehouse: Warehouse, timeframe: str) -> tuple[date, date]:
    """Return the year `[start, end)` up to the newest session with a score; an empty one without any."""
    last = last_scored_session(warehouse, timeframe)
    end = last + timedelta(days=1) if last else date.min + _YEAR
    return end - _YEAR, end


def score_board(warehouse: Warehouse, timeframe: str, start: date, end: date) -> ScoreBoard:
    """Return what a person wants to see of the scores of a timeframe in the sessions `[start, end)`."""
    marks = session_marks(warehouse, timeframe, start, end)
    scores = [(mark.score, mark.symbol, mark.session) for mark in marks if mark.score is not None]
    last = max((session for _, _, session in scores), default=date.min)
    week = [mark for mark in marks if (last - mark.session).days < _WEEK]
    judged = sum(mark.judged for mark in week)
    low = sorted(item for item in scores if item[0] < _GOOD)
    return ScoreBoard(
        heat_map=heat_map_svg({(mark.symbol, mark.session): mark.score for mark in marks}),
        sessions=len(marks),
        mean=sum(score for score, _, _ in scores) / len(scores) if scores else None,
        validation_rate=sum(mark.sound for mark in week) / judged if judged else None,
        worst=tuple({"symbol": name, "session": day, "score": round(score, 4)} for score, name, day in low[:_WORST]),
    )


def gap_board(warehouse: Warehouse, timeframe: str, start: date, end: date) -> GapBoard:
    """Return what a person wants to see of the gaps of a timeframe in the sessions `[start, end)`."""
    stored = stored_gaps(warehouse, timeframe, start, end)
    found = [Gap(item.symbol, item.ts, item.ts_end, item.reason, item.missing) for item in stored]
    missing: Counter[str] = Counter()
    for gap in found:
        missing[gap.reason] += gap.missing
    open_ones = [gap for gap in found if gap.reason in _UNEXPLAINED]
    rows = [
        {"symbol": gap.symbol, "from": gap.start, "to": gap.end, "missing": gap.missing, "reason": gap.reason}
        for gap in sorted(open_ones, key=lambda gap: -gap.missing)
    ]
    if not found:
        return GapBoard("", 0, {}, ())
    first, last = min(gap.start for gap in found), max(gap.end for gap in found)
    return GapBoard(gap_chart_svg(found, start=first, end=last), len(found), dict(missing), tuple(rows))
