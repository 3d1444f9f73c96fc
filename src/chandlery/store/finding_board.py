"""What stands against the bars of some sessions, by rule: for checks and pictures, not for decisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from chandlery.store.warehouse import Warehouse

_SHOWN = 25
_STANDING = text(
    """
    with standing as (
        select
            f.rule,
            coalesce(t.ticker, f.calendar) as symbol,
            f.timeframe,
            f.session,
            f.last_session,
            f.ts,
            f.severity,
            f.verdict,
            f.evidence,
            count(*) over (partition by f.rule) as findings,
            row_number() over (partition by f.rule order by f.session desc, t.ticker, f.ts) as place
        from ops.findings as f
        left join ops.instrument_tickers as t on f.instrument_id = t.instrument_id and t.valid_to is null
        where
            f.state in ('open', 'confirmed')
            and f.verdict in ('confirmed', 'suspected')
            and f.session < :end
            and f.last_session >= :start
    )
    select * from standing where place <= :shown order by rule, place
    """
)


@dataclass(frozen=True, slots=True)
class StandingRule:
    """Findings of one rule that cost something: how many, and the latest 25 as rows."""

    findings: int
    rows: tuple[Mapping[str, Any], ...]


def standing_by_rule(warehouse: Warehouse, start: date, end: date) -> dict[str, StandingRule]:
    """Return what stands (open or confirmed, and believed) against the sessions `[start, end)`, by rule."""
    with warehouse.read() as connection:
        found = connection.execute(_STANDING, {"start": start, "end": end, "shown": _SHOWN}).mappings().all()
    names = ("symbol", "timeframe", "session", "ts", "severity", "verdict", "evidence")
    rows: dict[str, list[dict[str, Any]]] = {}
    counts = {row["rule"]: int(row["findings"]) for row in found}
    for row in found:
        rows.setdefault(row["rule"], []).append({name: row[name] for name in names})
    return {rule: StandingRule(counts[rule], tuple(mine)) for rule, mine in rows.items()}
