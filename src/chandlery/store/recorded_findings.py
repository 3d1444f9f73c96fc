"""A judgement becomes rows: what is new opens, what is found no more is repaired, nothing is deleted.

All in sets: one series of crypto minutes has 18,000 fillers. An equal judgement writes no row.
"""

import io
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import polars as pl
import psycopg
from sqlalchemy import text

from chandlery.errors import QualityError
from chandlery.market.findings import FINDING_SCHEMA, WORKS
from chandlery.store.warehouse import Writer

_FACTS = tuple(name for name in FINDING_SCHEMA if name != "row")
_COLUMNS = ("instrument_id", *_FACTS)
_REFRESHED = ("ts_end", "session", "last_session", "severity", "verdict", "term", "evidence")


def _quoted(names: Collection[str], table: str = "") -> str:
    return ", ".join(f'{table}"{name}"' for name in names)


_STAGE = (
    "create temporary table found on commit drop as "  # noqa: S608 - fixed names
    f"select {_quoted(_COLUMNS)} from ops.findings with no data"
)
_KEY = "f.calendar = :calendar and f.timeframe = :timeframe and f.ts = n.ts and f.rule = n.rule"
_SAME_OF_SERIES = f"f.instrument_id = :instrument and {_KEY}"
_SAME_OF_VENUE = f"coalesce(f.instrument_id, 0) = coalesce(n.instrument_id, 0) and {_KEY}"
_STORED_AS = {"1m": "1m", "1d": "1d"}
"""Where bars have versions; of a candle it is the minute at its open that may have a newer one."""
# A version of the bar that came after the decision was not decided on.
_NEWER_VERSION = """
    exists (
        select from raw.massive__bars_{timeframe} as b join ops.ingests as i using (ingest_id)
        where b.instrument_id = f.instrument_id and b.ts = f.ts and i.known_from > f.decided_at
    )
"""
_REOPEN = """
with again as (
    select f.finding_id, f.state
    from ops.findings as f join found as n on {same}
    where f.state = 'repaired' or (f.state = 'dismissed' and {newer})
    for update of f
), opened as (
    update ops.findings as f set state = 'open', decided_at = null
    from again where again.finding_id = f.finding_id
)
insert into ops.finding_events (finding_id, happened_at, event, actor, from_state, to_state)
select finding_id, clock_timestamp(), case state when 'repaired' then 'found_again' else 'bar_changed' end,
    'judge', state, 'open'
from again
"""
_REFRESH = """
update ops.findings as f
set ({columns}) = ({new}), window_id = {window}
from found as n
where {same} and f.state in ('open', 'confirmed') and ({old}, f.window_id) is distinct from ({new}, {window})
"""
_OPEN = """
insert into ops.findings (calendar, timeframe, window_id, {every})
select :calendar, :timeframe, {window}, {found}
from found as n
where not exists (select from ops.findings as f where {same})
on conflict do nothing
"""
_CLOSE = """
with gone as (
    select f.finding_id, f.state
    from ops.findings as f
    where f.calendar = :calendar and f.timeframe = :timeframe and f.state in ('open', 'confirmed')
        and f.session < :end and f.last_session >= :start and {whose} {unless}
    for update of f
), closed as (
    update ops.findings as f set state = 'repaired', decided_at = clock_timestamp()
    from gone where gone.finding_id = f.finding_id
)
insert into ops.finding_events (finding_id, happened_at, event, actor, from_state, to_state)
select finding_id, clock_timestamp(), 'found_no_more', 'judge', state, 'repaired'
from gone
"""


_DECIDED = {"severity", "verdict", "term"}
"""What a person confirmed stays as it was confirmed; where it is may change."""
_NEW = ", ".join(
    f'case when f.state = \'open\' then n."{name}" else f."{name}" end' if name in _DECIDED else f'n."{name}"'
    for name in _REFRESHED
)
_NAMES = {
    "window": "cast(:window as bigint)",
    "columns": _quoted(_REFRESHED),
    "old": _quoted(_REFRESHED, "f."),
    "new": _NEW,
    "every": _quoted(_COLUMNS),
    "found": _quoted(_COLUMNS, "n."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a judgement speaks of: a series, or without instrument a venue, over the sessions `[start, end)`.

    Attributes:
        calendar: NYSE or 24/7.
        timeframe: 1m or 1d.
        start: first session.
        end: session after the last one.
        instrument_id: whose bars.
        seen_from: first session the judge saw; what began before it may still be so.
    """

    calendar: str
    timeframe: str
    start: date
    end: date
    instrument_id: int | None = None
    seen_from: date | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many findings a judgement opened, opened again, changed while open, and closed as repaired."""

    opened: int = 0
    reopened: int = 0
    refreshed: int = 0
    repaired: int = 0

    def __add__(self, other: "Recorded") -> "Recorded":
        """Return both together."""
        return Recorded(
            self.opened + other.opened,
            self.reopened + other.reopened,
            self.refreshed + other.refreshed,
            self.repaired + other.repaired,
        )


def record(connection: Writer, scope: Scope, found: pl.DataFrame, *, rules: Collection[str]) -> Recorded:
    """Record what the judges of a series or a venue found.

    A finding that is found again keeps its number, its state and `found_at`; its span, severity, verdict and evidence
    are refreshed while it stands. One that is open or confirmed and that an evaluated rule finds no more becomes
    repaired. One that was repaired opens again; a dismissed one does only if its bar has a version newer than the
    decision.

    Args:
        connection: the transaction; others that record of the same series wait until it ends.
        scope: what was judged.
        found: `FINDING_SCHEMA` with or without `row`, of a venue with `instrument_id`; unique by instrument, ts, rule.
        rules: names of the rules that were evaluated; findings of others stay as they are.
    """
    # That a rule could not look is so no longer, however long it was so.
    whose = "f.rule = any(:rules) and (f.session >= :seen_from or starts_with(f.rule, :works))"
    if scope.instrument_id is not None:
        whose += " and f.instrument_id = :instrument"
    parameters = {"rules": list(rules), "seen_from": scope.seen_from or date.min, "works": WORKS}
    return _record(connection, scope, found, whose=whose, window_id=None, parameters=parameters)


def record_batch(
    connection: Writer, scope: Scope, found: pl.DataFrame, *, window_id: int, unheard: Collection[str] = ()
) -> Recorded:
    """Record what the gate found of a batch, in place of what it had found of the same sessions.

    Args:
        connection: the transaction.
        scope: instrument, timeframe and sessions of the window.
        found: in `FINDING_SCHEMA`, with or without `row`.
        window_id: of the window; it marks findings as the gate's.
        unheard: names of rules that could not be evaluated; what they had found stays.
    """
    whose = (
        "f.instrument_id = :instrument and f.session >= :start and f.window_id is not null and f.rule <> all(:unheard)"
    )
    return _record(connection, scope, found, whose=whose, window_id=window_id, parameters={"unheard": list(unheard)})


def _record(
    connection: Writer,
    scope: Scope,
    found: pl.DataFrame,
    *,
    whose: str,
    window_id: int | None,
    parameters: dict[str, object],
) -> Recorded:
    named: dict[str, object] = {
        "calendar": scope.calendar,
        "timeframe": scope.timeframe,
        "instrument": scope.instrument_id,
        "start": scope.start,
        "end": scope.end,
        "window": window_id,
    }
    owner = f"findings:{scope.calendar}:{scope.timeframe}:{scope.instrument_id}"
    connection.execute(text("select pg_advisory_xact_lock(hashtextextended(:owner, 0))"), {"owner": owner})
    texts = {"same": _SAME_OF_VENUE if scope.instrument_id is None else _SAME_OF_SERIES, "whose": whose}
    if found.is_empty():
        closing = text(_CLOSE.format(**texts, unless=""))
        return Recorded(repaired=connection.execute(closing, {**named, **parameters}).rowcount)
    _stage(connection, found, scope.instrument_id)
    texts |= _NAMES | {
        "newer": _NEWER_VERSION.format(timeframe=_STORED_AS.get(scope.timeframe, "1m")),
        "unless": f"and not exists (select from found as n where {texts['same']})",
    }
    statements = (_REOPEN, _REFRESH, _OPEN, _CLOSE)
    counts = [
        connection.execute(text(statement.format(**texts)), {**named, **parameters}).rowcount
        for statement in statements
    ]
    connection.exec_driver_sql("drop table found")
    reopened, refreshed, opened, repaired = counts
    return Recorded(opened, reopened, refreshed, repaired)


def _stage(connection: Writer, found: pl.DataFrame, instrument_id: int | None) -> None:
    """Bring the findings into a temporary table; 18,000 take 60 ms."""
    connection.exec_driver_sql(_STAGE)
    if "instrument_id" not in found.columns:
        found = found.with_columns(pl.lit(instrument_id, dtype=pl.Int64).alias("instrument_id"))
    stamps = pl.col("ts", "ts_end").dt.strftime("%Y-%m-%d %H:%M:%S%.6f+00")
    buffer = io.BytesIO()
    found.select(_COLUMNS).with_columns(stamps).write_csv(buffer, include_header=False)
    driver = connection.connection.driver_connection
    if driver is None:
        raise TypeError
    try:
        with driver.cursor().copy(f"copy found ({_quoted(_COLUMNS)}) from stdin (format csv)") as stream:
            stream.write(buffer.getvalue())
    except psycopg.DataError as error:
        raise QualityError(
            f"{found.height} findings of {', '.join(sorted(set(found['rule'])))} were to be recorded, and one cannot "
            f"be stored: {str(error).strip()}. Nothing was written; the rule must give JSON as evidence."
        ) from error
