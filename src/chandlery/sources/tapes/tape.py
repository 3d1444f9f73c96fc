"""A tape: a folder of recorded bars as one catalogue of symbols.

Layout (all folders optional, at least one file):

| folder                        | columns                                                              |
|-------------------------------|----------------------------------------------------------------------|
| `us_minute`, `crypto_minute`  | `symbol`, `t` (Int64 ms UTC, start of the minute), OHLC, `volume`      |
| `us_daily`, `crypto_daily`    | `symbol`, `session` (Date), OHLC, `volume`; raw prices                |
| `us_daily/yahoo_*.parquet`    | the same, prices split-adjusted to the day of download                |

Optional everywhere: `vwap`, `trade_count`, `source` (who published the bars). Optional in days: `split_ratio`
(new shares per old one on the ex-date, else 1) and `ex_dividend` (cash per share on the ex-date, else 0). Rows
may be unsorted, a symbol may be spread over files. `tickers.json` (see `tickers`) names the instruments.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Self

import polars as pl

from chandlery.market.bars import BAR_SCHEMA, TS, empty_bars
from chandlery.market.symbols import AssetClass, asset_class_of
from chandlery.market.timeframes import BASE_TIMEFRAMES, Timeframe
from chandlery.sources.protocol import Dividend, Split
from chandlery.sources.sessions import zone_of
from chandlery.sources.tapes._reels import Reel, find_reels
from chandlery.sources.tapes.tickers import TickerProfile, read_profiles

_LARGEST_DENOMINATOR = 1000
_CURRENCY = "USD"
_REGULAR = "CD"
# NaN is above every number in polars, hence the first condition.
_IS_SPLIT = pl.col("split_ratio").is_finite() & (pl.col("split_ratio") != 1.0) & (pl.col("split_ratio") > 0.0)
_IS_DIVIDEND = pl.col("ex_dividend").is_finite() & (pl.col("ex_dividend") > 0.0)


@dataclass(frozen=True, slots=True)
class TapeListing:
    """One symbol of a tape and the span of its bars over all timeframes."""

    symbol: str
    asset_class: AssetClass
    first_session: date
    last_session: date
    timeframes: tuple[Timeframe, ...]


@dataclass(frozen=True, slots=True, eq=False)
class WitnessBars:
    """Bars of another publisher of the same series.

    Attributes:
        source: who published them.
        bars: in `BAR_SCHEMA`, ascending by ts; defects stay.
        basis_on: the day to whose share basis they are adjusted.
    """

    source: str
    bars: pl.DataFrame
    basis_on: date


class Tape:
    """Recorded bars by symbol and timeframe; frames are read at first use and kept."""

    def __init__(self, folder: Path, reels: Iterable[Reel], profiles: Iterable[TickerProfile] = ()) -> None:
        self.folder = folder
        self._described = tuple(profiles)
        self._reels: dict[tuple[str, Timeframe], tuple[Reel, ...]] = {}
        for reel in reels:
            key = (reel.symbol, reel.timeframe)
            self._reels[key] = (*self._reels.get(key, ()), reel)
        self._left_out: dict[tuple[str, Timeframe], tuple[Reel, ...]] = {}
        # Prices on two share bases must not be mixed: raw files win over split-adjusted ones.
        for key, found in self._reels.items():
            raw = tuple(reel for reel in found if not reel.is_split_adjusted)
            self._reels[key] = raw or found
            self._left_out[key] = tuple(reel for reel in found if reel not in self._reels[key])
        self._frames: dict[tuple[str, Timeframe], pl.DataFrame] = {}

    @classmethod
    def open(cls, path: Path) -> Self:
        """Read the catalogue of a tape folder.

        Raises:
            BadTape: if the folder is not laid out as documented; the message says what to change.
        """
        return cls(path, find_reels(path), read_profiles(path))

    def symbols(self) -> tuple[TapeListing, ...]:
        """Return what is on the tape, ascending by symbol."""
        return tuple(self._listing(symbol) for symbol in sorted({symbol for symbol, _ in self._reels}))

    def bars(self, symbol: str, timeframe: Timeframe) -> pl.DataFrame:
        """Return a symbol's bars in `BAR_SCHEMA`, ascending by `ts`; empty if there are none.

        Values are as recorded: defects of the publisher, doubled rows included, stay. Day bars lie at local
        midnight. `vwap` and `trade_count` are null where the file has none.
        """
        key = (symbol, timeframe)
        if key not in self._reels:
            return empty_bars()
        if key not in self._frames:
            self._frames[key] = pl.concat([_read(reel) for reel in self._reels[key]]).sort("ts", maintain_order=True)
        return self._frames[key]

    def witnesses(self, symbol: str, timeframe: Timeframe) -> tuple[WitnessBars, ...]:
        """Return the files that do not make the series, for another source has raw prices: they can testify."""
        return tuple(
            WitnessBars(reel.source, _read(reel).sort("ts", maintain_order=True), reel.last_session)
            for reel in self._left_out.get((symbol, timeframe), ())
        )

    def splits(self, symbol: str) -> tuple[Split, ...]:
        """Return the splits the day file records, ascending by date; empty where it records none."""
        splits = {
            _split(symbol, session, ratio)
            for reel in self._reels.get((symbol, Timeframe.D1), ())
            if "split_ratio" in reel.columns
            for session, ratio in _rows_where(reel, "split_ratio", _IS_SPLIT)
        }
        return tuple(sorted(splits, key=lambda split: split.execution_date))

    def dividends(self, symbol: str) -> tuple[Dividend, ...]:
        """Return the cash dividends the day file records, ascending by ex-date; empty where it records none.

        Amounts are the printed decimals of the file, in US dollars.
        """
        dividends = {
            Dividend(symbol, session, Decimal(repr(amount)), _CURRENCY, _REGULAR)
            for reel in self._reels.get((symbol, Timeframe.D1), ())
            if "ex_dividend" in reel.columns
            for session, amount in _rows_where(reel, "ex_dividend", _IS_DIVIDEND)
        }
        return tuple(sorted(dividends, key=lambda dividend: (dividend.ex_dividend_date, dividend.cash_amount)))

    def profiles(self) -> tuple[TickerProfile, ...]:
        """Return every instrument: those of `tickers.json`, then the symbols it does not name, ascending."""
        named = {profile.symbol for profile in self._described}
        spans = {listing.symbol: listing for listing in self.symbols()}
        described = (
            profile if profile.listed_on or profile.symbol not in spans else _listed(profile, spans[profile.symbol])
            for profile in self._described
        )
        others = (
            TickerProfile(symbol, name=symbol, listed_on=listing.first_session)
            for symbol, listing in spans.items()
            if symbol not in named
        )
        return (*described, *others)

    def source(self, symbol: str, timeframe: Timeframe) -> str:
        """Return who published the bars, several names joined by `+`; `tape` if no file says.

        A file says it by its column `source`, by WIKI's columns or by a name beginning with `yahoo_`.
        """
        names = {name for reel in self._reels.get((symbol, timeframe), ()) for name in reel.source.split("+")}
        return "+".join(sorted(names)) or "tape"

    def minute_range(self, symbol: str) -> tuple[date, date] | None:
        """Return the first and last session that has minutes, None if none has."""
        return self._range(symbol, Timeframe.M1)

    def day_range(self, symbol: str) -> tuple[date, date] | None:
        """Return the first and last session that has a day bar, None if none has."""
        return self._range(symbol, Timeframe.D1)

    def _range(self, symbol: str, timeframe: Timeframe) -> tuple[date, date] | None:
        reels = self._reels.get((symbol, timeframe))
        if reels is None:
            return None
        return min(reel.first_session for reel in reels), max(reel.last_session for reel in reels)

    def _listing(self, symbol: str) -> TapeListing:
        ranges = {timeframe: found for timeframe in BASE_TIMEFRAMES if (found := self._range(symbol, timeframe))}
        return TapeListing(
            symbol=symbol,
            asset_class=asset_class_of(symbol),
            first_session=min(first for first, _ in ranges.values()),
            last_session=max(last for _, last in ranges.values()),
            timeframes=tuple(ranges),
        )


def _read(reel: Reel) -> pl.DataFrame:
    if reel.timeframe is Timeframe.M1:
        ts = (pl.col("t") * 1000).cast(TS)
    else:
        midnight = pl.col("session").cast(pl.Datetime("us"))
        ts = midnight.dt.replace_time_zone(zone_of(reel.symbol)).dt.convert_time_zone("UTC")
    published = [name for name in BAR_SCHEMA if name in reel.columns and name != "ts"]
    unpublished = [pl.lit(None).alias(name) for name in BAR_SCHEMA if name not in reel.columns and name != "ts"]
    return (
        pl.scan_parquet(reel.path)
        .filter(pl.col("symbol") == reel.symbol)
        .select(ts.alias("ts"), *published, *unpublished)
        .select(pl.col(name).cast(dtype) for name, dtype in BAR_SCHEMA.items())
        .collect()
    )


def _rows_where(reel: Reel, column: str, condition: pl.Expr) -> list[tuple[date, float]]:
    own = pl.scan_parquet(reel.path).filter((pl.col("symbol") == reel.symbol) & condition)
    return own.select("session", pl.col(column).cast(pl.Float64)).collect().rows()


def _split(symbol: str, session: date, ratio: float) -> Split:
    exact = Fraction(ratio).limit_denominator(_LARGEST_DENOMINATOR)
    return Split(symbol, session, split_from=exact.denominator, split_to=exact.numerator)


def _listed(profile: TickerProfile, listing: TapeListing) -> TickerProfile:
    return replace(profile, listed_on=listing.first_session)
