"""The bundled tape: real day bars and simulated minutes, built at first use, no network.

| part                        | content                                                       | source      |
|-----------------------------|---------------------------------------------------------------|-------------|
| `us_daily/<S>.parquet`      | real raw day bars, AAPL FB GOOG IBM MSFT, 2000-03 to 2013-03    | `wiki`      |
| `us_minute/<S>.parquet`     | minutes of the last 60 sessions, rolling up to the day exactly | `simulated` |
| `crypto_minute/SIMUSD.parquet` | 60 days of an invented pair, `X:SIMUSD`                     | `simulated` |
| `crypto_daily/SIMUSD.parquet`  | its day bars                                                | `simulated` |

`FORMAT` holds the version of this recipe; a tape with another one is built again.
"""

import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from chandlery.errors import BadTape
from chandlery.log import get_logger
from chandlery.market.calendar import sessions
from chandlery.sources.tapes._intraday import DayBar, MinuteBars, draw_round_the_clock, draw_session, generator
from chandlery.sources.tapes._wiki_stocks import read_stocks

_log = get_logger(__name__)

FORMAT = "1"
MINUTE_SESSIONS = 60
SIMULATED_PAIR = "X:SIMUSD"
_FORMAT_FILE = "FORMAT"
_FIRST_PRICE = 100.0
_MINUTE_MS = 60_000
_TRIES = 8


def ensure_bundled_tape(folder: Path) -> Path:
    """Return `folder` after making sure it holds the bundled tape of this version.

    The tape is written beside the folder and renamed into place, so a reader sees all of it or nothing; of
    two processes that build at once the slower one takes the other's.

    Raises:
        BadTape: if the folder holds something else: nothing of a user's is ever replaced.
        ConfigError: if the data package is not installed.
    """
    if _is_current(folder):
        return folder
    _refuse_foreign(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        built = Path(scratch) / "tape"
        _build(built)
        _publish(built, folder, aside=Path(scratch))
    return folder


def _is_current(folder: Path) -> bool:
    try:
        return (folder / _FORMAT_FILE).read_text(encoding="utf-8") == FORMAT
    except OSError:
        return False


def _refuse_foreign(folder: Path) -> None:
    if not folder.exists() or (folder / _FORMAT_FILE).is_file():
        return
    if not folder.is_dir() or any(folder.iterdir()):
        raise BadTape(
            f"The bundled tape was to be built in {folder}, which holds something else. Remove it, choose another "
            "CHANDLERY_HOME, or name your own tape in CHANDLERY_PROVIDER__TAPE."
        )


def _publish(built: Path, folder: Path, *, aside: Path) -> None:
    for attempt in range(_TRIES):
        try:
            built.rename(folder)
        except OSError:
            # Somebody's tape stands there: take it if it is today's, move it out of the way if not.
            if _is_current(folder):
                return
            _move_aside(folder, aside / f"old-{attempt}")
        else:
            return
    raise BadTape(f"The bundled tape could not be put in {folder} in {_TRIES} tries; check who may write there.")


def _move_aside(folder: Path, place: Path) -> None:
    try:
        folder.rename(place)
    except FileNotFoundError:
        return


def _build(folder: Path) -> None:
    days = read_stocks()
    last: date = days.select(pl.col("session").max()).item()
    recent = sessions("NYSE", last - timedelta(days=2 * MINUTE_SESSIONS), last + timedelta(days=1)).tail(
        MINUTE_SESSIONS
    )
    for (symbol,), own in days.partition_by("symbol", as_dict=True).items():
        _write(folder / "us_daily" / f"{symbol}.parquet", own.with_columns(source=pl.lit("wiki")))
        _write(folder / "us_minute" / f"{symbol}.parquet", _stock_minutes(own, recent))
    minutes = _pair_minutes(last)
    _write(folder / "crypto_minute" / "SIMUSD.parquet", minutes)
    _write(folder / "crypto_daily" / "SIMUSD.parquet", _pair_days(minutes))
    (folder / _FORMAT_FILE).write_text(FORMAT, encoding="utf-8")
    _log.info("bundled_tape_built", symbols=days["symbol"].n_unique() + 1, days=days.height, last_session=str(last))


def _write(path: Path, frame: pl.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(path)


def _stock_minutes(days: pl.DataFrame, recent: pl.DataFrame) -> pl.DataFrame:
    length = (pl.col("close_right") - pl.col("open_right")).dt.total_minutes().alias("minutes")
    opening = pl.col("open_right").dt.epoch("ms").alias("t")
    rows = (
        days.join(recent.select("session", "open", "close"), on="session").sort("session").with_columns(length, opening)
    )
    return pl.concat([_stock_session(row) for row in rows.iter_rows(named=True)])


def _stock_session(row: dict[str, Any]) -> pl.DataFrame:
    day = DayBar(open=row["open"], high=row["high"], low=row["low"], close=row["close"], volume=row["volume"])
    random = generator(row["symbol"], row["session"])
    return _frame(row["symbol"], row["t"], draw_session(day, minutes=row["minutes"], random=random))


def _pair_minutes(last: date) -> pl.DataFrame:
    parts, price = [], _FIRST_PRICE
    for back in range(MINUTE_SESSIONS - 1, -1, -1):
        day = last - timedelta(days=back)
        bars = draw_round_the_clock(price, random=generator(SIMULATED_PAIR, day))
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        parts.append(_frame(SIMULATED_PAIR, round(midnight.timestamp() * 1000), bars))
        price = float(bars.close[-1])
    return pl.concat(parts)


def _pair_days(minutes: pl.DataFrame) -> pl.DataFrame:
    session = pl.col("t").cast(pl.Datetime("ms")).dt.date().alias("session")
    return minutes.group_by("symbol", session, maintain_order=True).agg(
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.col("volume").sum(),
        pl.col("source").first(),
    )


def _frame(symbol: str, first_ms: int, bars: MinuteBars) -> pl.DataFrame:
    count = bars.open.size
    return pl.DataFrame(
        {
            "symbol": pl.Series([symbol], dtype=pl.String).new_from_index(0, count),
            "t": first_ms + _MINUTE_MS * np.arange(count, dtype=np.int64),
            "open": bars.open,
            "high": bars.high,
            "low": bars.low,
            "close": bars.close,
            "volume": bars.volume,
        }
    ).with_columns(source=pl.lit("simulated"))
