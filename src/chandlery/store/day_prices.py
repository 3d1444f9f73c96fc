"""Raw opens and closes by session: the price evidence for corporate actions."""

from collections.abc import Iterable
from datetime import date

import polars as pl

from chandlery.market.calendar import ZONES
from chandlery.market.symbols import Instrument
from chandlery.market.verdicts import DAY_PRICE_SCHEMA
from chandlery.store.frames import read_frame
from chandlery.store.warehouse import Warehouse

# Minutes are rolled up near the asked days only: 100 days before one hold the 60 sessions that tell its noise.
_QUERY = """
with days as (
    select (ts at time zone $4)::date as session, open, close
    from raw.massive__bars_1d
    where instrument_id = $1
),
near as (
    select distinct sessions.session, sessions.open as opens_at, sessions.close as closes_at
    from ops.sessions as sessions
    inner join unnest(string_to_array($2, ',')::date[]) as asked (day)
        on sessions.session between asked.day - 100 and asked.day + 15
    where sessions.calendar = $3 and sessions.session not in (select days.session from days)
),
minutes as (
    select near.session, earliest.open, latest.close
    from near
    inner join lateral (
        select bars.open from raw.massive__bars_1m as bars
        where bars.instrument_id = $1 and bars.ts >= near.opens_at and bars.ts < near.closes_at
        order by bars.ts
        limit 1
    ) as earliest on true
    inner join lateral (
        select bars.close from raw.massive__bars_1m as bars
        where bars.instrument_id = $1 and bars.ts >= near.opens_at and bars.ts < near.closes_at
        order by bars.ts desc
        limit 1
    ) as latest on true
)
select session, open, close from days
union all
select session, open, close from minutes
order by session
"""


def read_day_prices(warehouse: Warehouse, instrument: Instrument, around: Iterable[date]) -> pl.DataFrame:
    """Return raw open and close by session in `DAY_PRICE_SCHEMA`, ascending, as known at present.

    They are the source's day bars; a session without one is rolled up from the minutes of its regular hours, near the
    days `around` only.
    """
    asked = ",".join(sorted({day.isoformat() for day in around}))
    parameters = (instrument.instrument_id, asked, instrument.calendar, ZONES[instrument.calendar])
    frame = read_frame(warehouse, _QUERY, parameters)
    return frame.select(pl.col(name).cast(dtype) for name, dtype in DAY_PRICE_SCHEMA.items())
