"""What a session's judgement rests on, as one short key: while it stays, the session need not be judged again."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from chandlery import quality
from chandlery.market.actions import Action
from chandlery.market.calendar import ZONES
from chandlery.market.session_exceptions import SessionException, days_of
from chandlery.market.symbols import Instrument
from chandlery.market.timeframes import Timeframe
from chandlery.store.judging import LATER, Ledger

_EARLY = timedelta(days=10)
_LATE = {Timeframe.M1: timedelta(days=40), Timeframe.D1: timedelta(days=100)}
"""How far an action reaches: a view looks back so many days, and a few bars ahead."""
_EPOCH = date(1970, 1, 1)
_AFTERWARDS = frozenset({"repairs", "score.py", "tally.py", "explanation.py", "gx.py"})
"""Parts of `quality` that take findings and find none."""
_HOURS = ("open", "close", "pre_open", "post_close")
_PARTS = ("ingest_id", "other", "is_asked", "told", "told_at", "held", "held_sum", *_HOURS, "digest")


@dataclass(frozen=True, slots=True, eq=False)
class SeriesInputs:
    """One series over the sessions `[start, end)`: what is known of it, but for its bars.

    Attributes:
        instrument: whose.
        timeframe: 1m or 1d.
        start: first session.
        end: session after the last one.
        ledger: what is known of all series.
        hours: the calendar, in `SESSION_SCHEMA`.
        actions: of the instrument.
        version: of rules and thresholds; another one makes every session due.
    """

    instrument: Instrument
    timeframe: Timeframe
    start: date
    end: date
    ledger: Ledger
    hours: pl.DataFrame
    actions: Sequence[Action]
    version: str

    def mine(self, frame: pl.DataFrame, timeframe: Timeframe | None = None) -> pl.DataFrame:
        """Return the rows of the ledger about this series, or about the instrument's other timeframe."""
        is_minute = pl.col("is_minute")
        chosen = is_minute if (timeframe or self.timeframe) is Timeframe.M1 else ~is_minute
        return frame.filter((pl.col("instrument_id") == self.instrument.instrument_id) & chosen)

    @property
    def exceptions(self) -> tuple[SessionException, ...]:
        """Those of the venue and of the instrument."""
        mine = self.instrument
        return tuple(
            item
            for item in self.ledger.exceptions
            if item.calendar == mine.calendar and item.instrument_id in {None, mine.instrument_id}
        )

    @property
    def zone(self) -> str:
        """The exchange's zone."""
        return ZONES[self.instrument.calendar]


def keyed_sessions(series: SeriesInputs) -> pl.DataFrame:
    """Return the sessions with bars or asked for, ascending: `session`, `bars`, `is_asked`, `read_key`.

    The key is a digest of all a judgement rests on but the session's neighbours and sisters: the ingests of both
    timeframes, the calendar, what is held, other sources' bars, actions and exceptions that touch it, the listing, and
    the rules with their thresholds.
    """
    candidates = _candidates(series)
    told = series.ledger.told.filter(pl.col("instrument_id") == series.instrument.instrument_id)
    day = pl.col("ts").dt.convert_time_zone(series.zone).dt.date().alias("session")
    held = series.mine(series.ledger.held).group_by(day)
    theirs = Timeframe.D1 if series.timeframe is Timeframe.M1 else Timeframe.M1
    joined = candidates.with_columns(pl.Series("digest", _touching(series, candidates["session"])))
    for frame in (
        series.mine(series.ledger.sessions, theirs).select("session", other="ingest_id"),
        told.select("session", told="bars", told_at="known_from"),
        held.agg(pl.len().alias("held"), pl.col("ts").dt.epoch("s").sum().alias("held_sum")),
        series.hours.select("session", *_HOURS),
    ):
        joined = joined.join(frame, on="session", how="left", maintain_order="left")
    said = [pl.col(name).to_physical().cast(pl.String).fill_null("-") for name in _PARTS]
    texts = joined.select(pl.concat_str(said, separator=",")).to_series()
    constant = f"{series.version} {series.ledger.listings.get(series.instrument.instrument_id)} "
    keys = pl.Series("read_key", [_digest(constant + text) for text in texts], dtype=pl.String)
    return candidates.select("session", "bars", "is_asked").with_columns(keys)


def rules_version(thresholds: Mapping[str, float]) -> str:
    """Return a digest of the rules as written and of the thresholds as set.

    What a rule finds hangs on its source and on all it imports from `quality`, and a version kept by hand is forgotten.
    The price: an edited comment makes every session due once.
    """
    return _digest(f"{_rules_written()} {sorted(thresholds.items())!r}")


@cache
def _rules_written() -> str:
    return _digest(" ".join(_digest(path.read_text(encoding="utf-8")) for path in rule_files()))


def rule_files() -> list[Path]:
    """Return the files of `quality` that decide what is found, ascending."""
    root = Path(quality.__file__).parent
    return sorted(path for path in root.rglob("*.py") if path.relative_to(root).parts[0] not in _AFTERWARDS)


def _candidates(series: SeriesInputs) -> pl.DataFrame:
    """Return sessions with bars, asked for or judged: `session`, `bars`, `ingest_id`, `is_asked`, ascending.

    One that was judged and is a session no more is judged once again, which closes what was found of it.
    """
    own = series.mine(series.ledger.sessions).select("session", "bars", "ingest_id")
    windows = series.mine(series.ledger.windows)
    day = pl.col("session")
    near = series.hours.filter(
        (day >= series.start - _EARLY) & (day < min(series.end, date.max - LATER) + LATER)
    ).select("session")
    days = _ordinals(near["session"])
    edges = np.zeros(days.size + 1, dtype=np.int64)
    np.add.at(edges, np.searchsorted(days, _ordinals(windows["start_session"])), 1)
    np.add.at(edges, np.searchsorted(days, _ordinals(windows["end_session"])), -1)
    asked = near.filter(pl.Series(np.cumsum(edges[:-1]) > 0)).with_columns(is_asked=pl.lit(value=True))
    both = own.join(asked, on="session", how="full", coalesce=True)
    judged = series.mine(series.ledger.judged).select("session")
    both = both.join(judged, on="session", how="full", coalesce=True)
    return both.with_columns(pl.col("bars").fill_null(0), pl.col("is_asked").fill_null(value=False)).sort("session")


def _touching(series: SeriesInputs, sessions: pl.Series) -> npt.NDArray[np.uint64]:
    """Return a number a session that changes with the actions and exceptions that touch it."""
    days = _ordinals(sessions)
    total = np.zeros(days.size, dtype=np.uint64)
    late = _LATE[series.timeframe]
    spans = [(repr(action), action.ex_date - _EARLY, action.ex_date + late) for action in series.actions]
    for item in series.exceptions:
        first, after = days_of(item, series.zone)
        spans.append((repr(item), first - _EARLY, after + _EARLY))
    for told, first, last in spans:
        low, high = np.searchsorted(days, [(first - _EPOCH).days, (last - _EPOCH).days + 1])
        total[low:high] += np.uint64(int(_digest(told)[:15], 16))
    return total


def _ordinals(days: pl.Series) -> npt.NDArray[np.int64]:
    return days.to_physical().cast(pl.Int64).to_numpy()


def _digest(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
