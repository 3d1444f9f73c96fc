"""Decide on repairs: apply, reject, take back. The values published before stay readable in every case.

An applied repair is one more ingest of the window its bars came from: its bars become versions with reason `repair`,
what they replace moves to history, and rows of quarantine in their place move into the repair (`before`), from where
taking it back returns them.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import polars as pl
from sqlalchemy import func, select, union_all

from chandlery.errors import NotFound, WrongState
from chandlery.market.bars import BAR_SCHEMA, TS
from chandlery.market.revisions import REPAIR, REPAIR_UNDONE
from chandlery.market.timeframes import Timeframe
from chandlery.store.bar_versions import Origin, Versions, hold_series, write_versions
from chandlery.store.finding_notes import note_event
from chandlery.store.findings import StoredFinding, decide, find_finding
from chandlery.store.history import present_bars
from chandlery.store.ingest_windows import Window
from chandlery.store.repair_bars import BarRow, frame_of, instants_of, one_of, rows_at
from chandlery.store.repairs import StoredRepair, find_repair, open_proposal, require_fresh, set_status
from chandlery.store.standing_repairs import standing_repairs
from chandlery.store.tables import finding_events, findings, ingest_windows, ingests, quarantine
from chandlery.store.universe import read_record
from chandlery.store.warehouse import Reader, Writer


def approve(connection: Writer, finding_id: int, *, actor: str, note: str | None = None) -> StoredFinding:
    """Apply the open proposal of a finding, which is repaired then; without a proposal the finding is confirmed.

    Raises:
        NotFound: there is no finding of that number.
        WrongState: its state does not allow it, or its bars are no longer those the proposal was made from.
    """
    _hold(connection, find_finding(connection, finding_id))
    repair = open_proposal(connection, finding_id)
    if repair is None:
        return decide(connection, finding_id, "confirmed", actor=actor, note=note)
    detail = {"repair_id": repair.repair_id, "method": repair.method, "bars": len(repair.after)}
    finding = decide(connection, finding_id, "repaired", actor=actor, note=note, event="repair_applied", detail=detail)
    before = require_fresh(connection, repair)
    evidence = repair.evidence
    origin = Origin(f"repair:{repair.method}", evidence.get("request_ids", ()), evidence.get("payload_sha256", ""))
    bars = frame_of(repair.after).with_columns(reason=pl.lit(REPAIR))
    ended = instants_of(row for row in before if "held" not in row)
    for other in _of_held_rows(connection, repair, before):
        decide(connection, other, "repaired", actor=actor, event="repair_applied", detail=detail)
    _release(connection, repair)
    ingest_id = _publish(connection, repair, _window_of(connection, repair, before), bars, ended, origin)
    set_status(connection, repair.repair_id, "applied", actor=actor, before=before, ingest_id=ingest_id)
    return finding


def dismiss(connection: Writer, finding_id: int, *, actor: str, note: str | None = None) -> StoredFinding:
    """Dismiss a finding; its open proposal is rejected.

    Raises:
        NotFound: there is no finding of that number.
        WrongState: its state does not allow it.
    """
    _hold(connection, find_finding(connection, finding_id))
    repair = open_proposal(connection, finding_id)
    detail = {} if repair is None else {"repair_id": repair.repair_id}
    finding = decide(connection, finding_id, "dismissed", actor=actor, note=note, detail=detail)
    if repair is not None:
        set_status(connection, repair.repair_id, "rejected", actor=actor)
    return finding


def revert(connection: Writer, repair_id: int, *, actor: str, note: str | None = None) -> StoredRepair:
    """Put back what stood before an applied repair, and open its finding again.

    Bars that another answer or repair has replaced since stay as they are; the event names them.

    Raises:
        NotFound: there is no repair of that number.
        WrongState: it is not applied, or none of its bars stands any more.
    """
    _hold(connection, find_finding(connection, find_repair(connection, repair_id).finding_id))
    repair = find_repair(connection, repair_id)
    _require_applied(repair)
    series = (repair.instrument_id, Timeframe(repair.timeframe))
    instants = repair.instants
    stands = standing_repairs(connection, *series, instants[0], instants[-1] + timedelta(microseconds=1))
    ended = sorted(stands.topmost(repair_id))
    gone = [row["ts"] for row in repair.after if datetime.fromisoformat(row["ts"]) not in ended]
    if not ended:
        raise WrongState(
            f"Repair {repair_id} was to be reverted and none of its {len(gone)} bars stands as it left them: another "
            f"answer or a later repair has replaced {gone[0]}, see `chandlery versions {repair.symbol} {gone[0]}`. Of "
            "repairs that lie on each other the latest is reverted first."
        )
    back = [row for row in repair.before if row["ts"] not in gone]
    published = [row for row in back if "held" not in row]
    window = _window_of(connection, repair, repair.before)
    bars = frame_of(published).with_columns(reason=pl.lit(REPAIR_UNDONE))
    detail = {"repair_id": repair_id, "not_standing": gone, **({"note": note} if note else {})}
    _reopen(connection, repair, actor=actor, detail=detail)
    taken = {row["ts"] for row in rows_at(connection, *series, ended) if "held" in row}
    _return_held(connection, repair, [row for row in back if "held" in row and row["ts"] not in taken])
    origin = Origin(_publishers(connection, published) or f"repair:{repair.method}")
    undone_by = _publish(connection, repair, window, bars, ended, origin)
    set_status(connection, repair_id, "reverted", actor=actor, undone_by=undone_by)
    return find_repair(connection, repair_id)


def _hold(connection: Writer, finding: StoredFinding) -> None:
    if finding.instrument_id is not None:
        hold_series(connection, finding.instrument_id, Timeframe(finding.timeframe))


def _require_applied(repair: StoredRepair) -> None:
    if repair.status == "applied":
        return
    possible = {
        "proposed": f"Decide on its finding: `chandlery findings approve|dismiss {repair.finding_id}`",
        "rejected": f"Open its finding again: `chandlery findings reopen {repair.finding_id}`",
    }
    hint = possible.get(repair.status, f"Look anew: `chandlery repairs propose --finding {repair.finding_id}`")
    raise WrongState(
        f"Repair {repair.repair_id} was to be reverted and is {repair.status}; it must be applied to be reverted. "
        f"{hint}."
    )


def _of_held_rows(connection: Reader | Writer, repair: StoredRepair, before: Iterable[BarRow]) -> list[int]:
    """Return the other findings of the gate about the held rows: with the rows they are settled."""
    held = [(row["ts"], rule) for row in before if "held" in row for rule in row["held"]["rules"]]
    found = findings.c
    query = select(found.finding_id, found.ts, found.rule).where(
        found.instrument_id == repair.instrument_id,
        found.timeframe == repair.timeframe,
        found.finding_id != repair.finding_id,
        found.window_id.is_not(None),
        found.state.in_(("open", "confirmed")),
        one_of(found.ts, sorted({datetime.fromisoformat(ts) for ts, _ in held})),
    )
    rows = connection.execute(query.order_by(found.finding_id)).all()
    return [row.finding_id for row in rows if (row.ts.astimezone(UTC).isoformat(), row.rule) in held]


def _reopen(connection: Writer, repair: StoredRepair, *, actor: str, detail: dict[str, object]) -> None:
    """Open the findings again that the repair had settled; one that was opened meanwhile is told of it."""
    events = finding_events.c
    settled = (
        select(events.finding_id)
        .where(events.event == "repair_applied", events.detail["repair_id"].as_integer() == repair.repair_id)
        .distinct()
    )
    for number in sorted({repair.finding_id, *connection.execute(settled).scalars()}):
        if find_finding(connection, number).state == "repaired":
            decide(connection, number, "open", actor=actor, event="repair_undone", detail=detail)
        else:
            note_event(connection, number, "repair_undone", actor=actor, detail=detail)


def _publish(  # noqa: PLR0917 - one publication with all it needs
    connection: Writer, repair: StoredRepair, window: Window, bars: pl.DataFrame, ended: Iterable[Any], origin: Origin
) -> int:
    """Write versions over all bars of the touched sessions and return the ingest."""
    gone = pl.Series("ts", list(ended), dtype=TS)
    instants = pl.concat([bars.get_column("ts"), gone])
    days = instants.dt.convert_time_zone(window.zone.key).dt.date().unique().sort().to_list()
    since = datetime.combine(days[0], time(), window.zone)
    until = datetime.combine(days[-1] + timedelta(days=1), time(), window.zone)
    known = present_bars(connection, repair.instrument_id, window.timeframe, since, until)
    after = pl.concat([known.filter(~pl.col("ts").is_in(instants.implode())), bars.select(*BAR_SCHEMA)]).sort("ts")
    return write_versions(connection, window, Versions(bars, gone, after), origin).ingest_id


def _release(connection: Writer, repair: StoredRepair) -> None:
    """Take the repaired bars out of quarantine; the repair keeps the rows."""
    mine = (quarantine.c.instrument_id == repair.instrument_id) & (quarantine.c.timeframe == repair.timeframe)
    connection.execute(quarantine.delete().where(mine, one_of(quarantine.c.ts, repair.instants)))


def _return_held(connection: Writer, repair: StoredRepair, rows: Iterable[BarRow]) -> None:
    fixed = {"instrument_id": repair.instrument_id, "timeframe": repair.timeframe}
    values = [{**bar, **_rest(row), **fixed} for row in rows for bar in frame_of([row]).to_dicts()]
    if values:
        connection.execute(quarantine.insert(), values)


def _rest(row: BarRow) -> dict[str, Any]:
    return {**row["held"], "held_at": datetime.fromisoformat(row["held"]["held_at"])}


def _publishers(connection: Reader | Writer, rows: Iterable[BarRow]) -> str:
    """Return who had published rows, joined by `+`: theirs are the values that come back."""
    numbers = {row["ingest_id"] for row in rows}
    query = select(ingests.c.source).where(ingests.c.ingest_id.in_(numbers)).distinct()
    names: list[str] = list(connection.execute(query).scalars())
    return "+".join(sorted({part for name in names for part in name.split("+")}))


def _window_of(connection: Writer, repair: StoredRepair, before: Iterable[BarRow]) -> Window:
    """Return the window the bars came from, else the finding's, else the latest that asked for their session.

    Raises:
        NotFound: no window ever asked for them.
    """
    rows = list(before)
    named = [row["held"]["window_id"] for row in rows if "held" in row]
    brought = {row["ingest_id"] for row in rows if "held" not in row}
    mine = ingest_windows.c
    finding = find_finding(connection, repair.finding_id)
    theirs = union_all(
        select(ingests.c.window_id).where(ingests.c.ingest_id.in_(brought)),
        select(findings.c.window_id).where(findings.c.finding_id == repair.finding_id),
    )
    covers = (
        (mine.instrument_id == repair.instrument_id)
        & (mine.timeframe == repair.timeframe)
        & (mine.start_session <= finding.session)
        & (mine.end_session > finding.session)
    )
    is_theirs = mine.window_id.in_(named) | mine.window_id.in_(theirs)
    query = (
        select(ingest_windows)
        .where(is_theirs | covers)
        .order_by(is_theirs.desc(), func.coalesce(mine.finished_at, mine.started_at).desc(), mine.window_id)
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(
            f"{repair.symbol} {repair.timeframe} was never asked for around {finding.session}; ingest that session "
            "first (`chandlery backfill`)."
        )
    instrument = read_record(connection, repair.instrument_id).instrument
    return Window(
        row.window_id, instrument, Timeframe(repair.timeframe), row.start_session, row.end_session, row.attempts
    )
