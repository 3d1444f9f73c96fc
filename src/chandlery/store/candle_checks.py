"""What a check of candles reads: the builds of a window, its minutes, and the candles as they are stored."""

from dataclasses import dataclass
from datetime import date

import polars as pl
from sqlalchemy import text

from chandlery.market.timeframes import CANDLE_TIMEFRAMES, Timeframe
from chandlery.store.candles import is_built
from chandlery.store.frames import Parameter, read_frame
from chandlery.store.warehouse import Warehouse

TRACKED_TIMEFRAMES = tuple(timeframe for timeframe in CANDLE_TIMEFRAMES if timeframe is not Timeframe.W1)
"""Those with a build for each session; a week has one for each of its own."""
_FINER = {Timeframe.M15: Timeframe.M5, **dict.fromkeys((Timeframe.H1, Timeframe.H4, Timeframe.D1), Timeframe.M30)}
"""What a mart is built from, where that is another mart."""

# All instruments, or those of the list.
_CHOSEN = "(cardinality(cast($3 as int[])) = 0 or bars.instrument_id = any(cast($3 as int[])))"
_PAIRS = f"""
    select
        bars.instrument_id,
        bars.session,
        bars.bars,
        bars.ingest_id,
        instruments.calendar,
        instruments.asset_class,
        sessions.open,
        sessions.close
    from ops.bar_sessions as bars
    inner join ops.instruments as instruments using (instrument_id)
    inner join ops.sessions as sessions on sessions.calendar = instruments.calendar and sessions.session = bars.session
    where bars.timeframe = '1m' and bars.session >= $1 and bars.session < $2 and {_CHOSEN}
"""  # noqa: S608 - bound values
# The keys are those of `minutes_now` and `finer_now` in dbt_project/macros/built_from.sql; a day's begins with the
# build of its 30m candles.
_BUILDS = """
select
    pairs.instrument_id,
    pairs.session,
    pairs.bars,
    pairs.calendar,
    pairs.asset_class,
    concat_ws(
        '/', pairs.ingest_id, pairs.asset_class,
        date_part('epoch', pairs.open)::bigint, date_part('epoch', pairs.close)::bigint
    ) as minutes_key,
    {columns}
from ({pairs}) as pairs
{joins}
order by pairs.instrument_id, pairs.session
"""
_MINUTES = """
select pairs.instrument_id, minutes.*
from ({pairs}) as pairs
cross join lateral (
    select ts, open, high, low, close, volume, vwap, trade_count
    from raw.massive__bars_1m
    where instrument_id = pairs.instrument_id and ts >= pairs.open and ts < pairs.close
    offset 0
) as minutes
order by minutes.ts
"""
_CANDLES = """
select
    '{timeframe}' as timeframe, bars.instrument_id, bars.session, bars.ts, bars.open, bars.high, bars.low, bars.close,
    bars.volume, bars.trade_count, bars.bar_count
from marts.candles_{timeframe} as bars
where bars.session >= $1 and bars.session < $2 and {chosen}
"""


@dataclass(frozen=True, slots=True)
class CandleWindow:
    """Sessions `[start, end)` of some instruments; of all without a list."""

    start: date
    end: date
    instrument_ids: tuple[int, ...] = ()

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What the queries bind."""
        return self.start, self.end, f"{{{','.join(map(str, self.instrument_ids))}}}"


def read_builds(warehouse: Warehouse, window: CandleWindow) -> pl.DataFrame:
    """Return the sessions of the window that have or had minutes, with the state of their candles.

    Columns: instrument_id, session, bars, calendar, asset_class; `build_<timeframe>` (null: never built) and
    `is_current_<timeframe>`: built from the minutes as they are now. Ascending by instrument and session.

    Raises:
        NotMigrated: no candle was ever built.
    """
    names = [timeframe.value for timeframe in TRACKED_TIMEFRAMES]
    columns = ", ".join(f'b{name}.build_id as "build_{name}", b{name}.read_key as "key_{name}"' for name in names)
    joins = "\n".join(
        f"left join marts.candle_builds as b{name} on b{name}.model = 'candles_{name}' "
        f"and b{name}.session = pairs.session and b{name}.instrument_id = pairs.instrument_id"
        for name in names
    )
    read = read_frame(warehouse, _BUILDS.format(columns=columns, pairs=_PAIRS, joins=joins), window.parameters)
    current: dict[Timeframe, pl.Expr] = {}
    for timeframe in TRACKED_TIMEFRAMES:
        key = pl.col(f"key_{timeframe}")
        if timeframe in _FINER:
            finer = _FINER[timeframe]
            same = key.str.split("/").list.first() == pl.col(f"build_{finer}").cast(pl.String)
            current[timeframe] = current[finer] & same
        else:
            current[timeframe] = key == pl.col("minutes_key")
    marked = read.with_columns(
        same.fill_null(value=False).alias(f"is_current_{timeframe}") for timeframe, same in current.items()
    )
    return marked.drop("minutes_key", *(f"key_{name}" for name in names)).cast({"instrument_id": pl.Int64})


def last_candle_session(warehouse: Warehouse) -> date | None:
    """Return the newest session with a candle from minutes; None where none was ever built."""
    if not is_built(warehouse, "marts.candle_builds"):
        return None
    with warehouse.read() as connection:
        found: date | None = connection.execute(
            text("select max(session) from marts.candle_builds where model = 'candles_5m'")
        ).scalar_one()
    return found


def read_minutes(warehouse: Warehouse, window: CandleWindow) -> pl.DataFrame:
    """Return the present regular minutes of the window: instrument_id and `BAR_SCHEMA`, ascending by ts."""
    return read_frame(warehouse, _MINUTES.format(pairs=_PAIRS), window.parameters).cast({"instrument_id": pl.Int64})


def read_stored(warehouse: Warehouse, window: CandleWindow) -> dict[Timeframe, pl.DataFrame]:
    """Return the stored candles of the window by timeframe.

    Columns: timeframe, instrument_id, session, ts, prices, volume, trade_count, bar_count.
    """
    # One query: each connection of the bulk driver takes 46 ms to learn the types of the database.
    parts = [_CANDLES.format(timeframe=timeframe.value, chosen=_CHOSEN) for timeframe in TRACKED_TIMEFRAMES]
    read = read_frame(warehouse, "union all".join(parts), window.parameters).cast({"instrument_id": pl.Int64})
    return {timeframe: read.filter(pl.col("timeframe") == timeframe.value) for timeframe in TRACKED_TIMEFRAMES}
