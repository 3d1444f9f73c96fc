"""Judge a tape without a warehouse: every file of a folder through the gate's rules and the series rules.

The same code judges what is ingested; here it answers "what would chandlery say of these bars" in seconds, and how
often it raises an alarm. Venue rules need a universe that is tracked and are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from chandlery.market.actions import Action, ActionKind, Recorded, RecordedDividend, RecordedSplit
from chandlery.market.calendar import sessions
from chandlery.market.findings import FINDING_SCHEMA
from chandlery.market.symbols import Instrument, asset_class_of, calendar_of
from chandlery.market.timeframes import Timeframe
from chandlery.market.verdicts import judge
from chandlery.quality.audit import audit
from chandlery.quality.context import AuditContext
from chandlery.quality.judge import judge_series
from chandlery.quality.series.view import SESSION_BARS_SCHEMA, SeriesView
from chandlery.quality.sisters import sister_returns
from chandlery.quality.thresholds import NO_OVERRIDES
from chandlery.quality.witness_basis import on_basis_of
from chandlery.sources.tapes import Reel, Tape, find_reels
from chandlery.store.series_views import roll_up_sessions

AUDIT_SCHEMA = {
    "file": pl.String,
    "symbol": pl.String,
    "timeframe": pl.String,
    **{name: dtype for name, dtype in FINDING_SCHEMA.items() if name != "row"},
}


@dataclass(frozen=True, slots=True, eq=False)
class TapeAudit:
    """What the rules say of a tape.

    Attributes:
        findings: in `AUDIT_SCHEMA`, by file and ts.
        bars: how many bars were judged, by file.
        failed: rules that raised, as `file: rule`.
    """

    findings: pl.DataFrame
    bars: Mapping[str, int]
    failed: tuple[str, ...]

    def by_rule(self) -> pl.DataFrame:
        """Return counts: check, rule, severity, verdict, findings, files, and findings per 10,000 bars."""
        total = sum(self.bars.values())
        return (
            self.findings.group_by("check", "rule", "severity", "verdict")
            .agg(findings=pl.len(), files=pl.col("file").n_unique())
            .with_columns(per_10_000=(pl.col("findings") / max(total, 1) * 10_000).round(2))
            .sort("check", "rule", "severity", "verdict")
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Reeled:
    """One file's series: what the gate let through, and what it found."""

    reel: Reel
    name: str
    instrument: Instrument
    calendar: pl.DataFrame
    passed: pl.DataFrame
    gate: pl.DataFrame
    held: tuple[datetime, ...]
    seen: int

    @property
    def by_session(self) -> pl.DataFrame:
        """The regular bars by session, as a witness."""
        view = SeriesView(
            instrument=self.instrument,
            timeframe=self.reel.timeframe,
            start=self.reel.first_session,
            end=self.reel.last_session + timedelta(days=1),
            bars=self.passed,
            sessions=self.calendar,
            asked=self.calendar["session"],
        )
        return (
            view.marked.filter("is_regular")
            .group_by("session", maintain_order=True)
            .agg(
                pl.col("open").first(),
                pl.col("high").max(),
                pl.col("low").min(),
                pl.col("close").last(),
                pl.col("volume").sum(),
                bars=pl.len(),
            )
            .cast(dict(SESSION_BARS_SCHEMA))  # type: ignore[arg-type]
        )


def audit_tape(folder: Path, *, overrides: Mapping[str, float] = NO_OVERRIDES) -> TapeAudit:
    """Judge every symbol of every file of a tape folder; nothing is written.

    Files of one symbol are each judged by themselves and witness each other: days against minutes, and another
    publisher's days against these, on one share basis. Recorded splits and dividends are judged first.

    Raises:
        BadTape: the folder is not laid out as a tape.
    """
    reels = find_reels(folder)
    numbers = {symbol: place for place, symbol in enumerate(sorted({reel.symbol for reel in reels}), start=1)}
    read = [_read(folder, reel, numbers[reel.symbol]) for reel in reels]
    days = {id(item): item.by_session for item in read}
    raw_days = {
        item.instrument.instrument_id: days[id(item)].select("session", "close", "low", "high")
        for item in read
        if item.reel.timeframe is Timeframe.D1 and not item.reel.is_split_adjusted
    }
    found, failed = [pl.DataFrame(schema=AUDIT_SCHEMA)], []
    for item in read:
        view = _view(folder, item, read, days, overrides)
        mates = {key: frame for key, frame in raw_days.items() if item.instrument.calendar == "NYSE"}
        judgement = judge_series(replace(view, sisters=sister_returns(mates, item.instrument.instrument_id)))
        failed += [f"{item.name}: {rule}" for rule in judgement.failed]
        both = pl.concat([item.gate, judgement.findings.select(item.gate.columns)])
        labels = {"file": item.name, "symbol": item.reel.symbol, "timeframe": item.reel.timeframe.value}
        found.append(both.select(*(pl.lit(text).alias(name) for name, text in labels.items()), *item.gate.columns))
    findings = pl.concat(found).sort("file", "ts", "rule")
    return TapeAudit(findings, {item.name: item.seen for item in read}, tuple(failed))


def _read(folder: Path, reel: Reel, number: int) -> _Reeled:
    asset_class = asset_class_of(reel.symbol)
    instrument = Instrument(number, reel.symbol, asset_class, calendar_of(asset_class))
    start, end = reel.first_session, reel.last_session + timedelta(days=1)
    calendar = sessions(instrument.calendar, start, end)
    bars = Tape(folder, [reel]).bars(reel.symbol, reel.timeframe)
    verdict = audit(bars, AuditContext(instrument, reel.timeframe, start, end, calendar))
    return _Reeled(
        reel=reel,
        name=reel.path.relative_to(folder).with_suffix("").as_posix(),
        instrument=instrument,
        calendar=calendar,
        passed=verdict.passed,
        gate=verdict.findings.drop("row"),
        held=tuple(bars["ts"].gather(list(verdict.held)).drop_nulls().to_list()),
        seen=bars.height,
    )


def _view(
    folder: Path,
    item: _Reeled,
    read: Sequence[_Reeled],
    days: Mapping[int, pl.DataFrame],
    overrides: Mapping[str, float],
) -> SeriesView:
    mine = [other for other in read if other.reel.symbol == item.reel.symbol and other is not item]
    actions = _actions(folder, [item, *mine], days)
    splits = [action.ex_date for action in actions if action.kind is ActionKind.SPLIT]
    own = days[id(item)]
    others = [other for other in mine if other.reel.timeframe is not item.reel.timeframe]
    witnesses = {
        other.name: on_basis_of(days[id(other)], own, splits)
        for other in mine
        if other.reel.timeframe is item.reel.timeframe
    }
    overlapping = [other for other in others if days[id(other)].join(own, on="session", how="semi").height]
    other, extended = _of_other(overlapping, days, own)
    return SeriesView(
        instrument=item.instrument,
        timeframe=item.reel.timeframe,
        start=item.reel.first_session,
        end=item.reel.last_session + timedelta(days=1),
        bars=item.passed,
        sessions=item.calendar,
        asked=item.calendar["session"],
        actions=actions,
        other=other,
        other_extended=extended,
        witnesses={name: frame for name, frame in witnesses.items() if frame.height},
        held=item.held,
        listed_on=item.reel.first_session,
        is_split_adjusted=item.reel.is_split_adjusted,
        overrides=overrides,
    )


def _of_other(
    others: Sequence[_Reeled], days: Mapping[int, pl.DataFrame], own: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the sessions of the other timeframe that both have, and, of minutes, those of all hours."""
    none = pl.DataFrame(schema=SESSION_BARS_SCHEMA)
    if not others:
        return none, none
    chosen = others[0]
    regular = days[id(chosen)].join(own, on="session", how="semi", maintain_order="left")
    if chosen.reel.timeframe is not Timeframe.M1:
        return regular, none
    _, extended = roll_up_sessions(chosen.passed, chosen.calendar, chosen.instrument)
    inside = extended.join(own, on="session", how="semi", maintain_order="left")
    return regular, inside.cast(dict(SESSION_BARS_SCHEMA))  # type: ignore[arg-type]


def _actions(folder: Path, items: Sequence[_Reeled], days: Mapping[int, pl.DataFrame]) -> tuple[Action, ...]:
    symbol = items[0].reel.symbol
    tape = Tape(folder, [item.reel for item in items])
    records: list[Recorded] = [
        *(
            RecordedSplit(day=s.execution_date, split_from=s.split_from, split_to=s.split_to, source="tape")
            for s in tape.splits(symbol)
        ),
        *(
            RecordedDividend(
                day=d.ex_dividend_date, cash=d.cash_amount, currency=d.currency, distribution=d.kind, source="tape"
            )
            for d in tape.dividends(symbol)
        ),
    ]
    raw = [item for item in items if item.reel.timeframe is Timeframe.D1 and not item.reel.is_split_adjusted]
    prices = days[id(raw[0])] if raw else pl.DataFrame(schema=SESSION_BARS_SCHEMA)
    return judge(records, prices.select("session", "open", "close"))
