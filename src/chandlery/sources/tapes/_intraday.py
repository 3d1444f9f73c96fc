"""Simulated minutes: deterministic intraday paths that roll up to a given day bar exactly.

Every session has its own generator, seeded by symbol and session, so a tape built twice is the same tape
and adding a session changes no other one.
"""

import hashlib
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_CANDIDATES = 16
_WICK = 0.6
_VOLUME_NOISE = 0.35
_U_DEPTH = 1.6
_VOLUME_GRAIN = 1024.0
_DAY_MINUTES = 1440
_YEARLY_VOLATILITY = 0.7


@dataclass(frozen=True, slots=True)
class DayBar:
    """The day a path has to roll up to; `low <= open, close <= high` and a whole `volume >= minutes`."""

    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True)
class MinuteBars:
    """Columns of consecutive minutes, equally long."""

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


def generator(symbol: str, session: date) -> np.random.Generator:
    """Return the random generator of one symbol's session."""
    digest = hashlib.sha256(f"{symbol}|{session.isoformat()}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


def draw_session(day: DayBar, *, minutes: int, random: np.random.Generator) -> MinuteBars:
    """Return minutes whose roll-up is `day`, to the last bit.

    A Brownian bridge from open to close is stretched so that it touches high and low and never leaves them;
    of 16 bridges the calmest is kept. Prices are whole cents, except where the day's own are not. Each bar
    opens within 1.5 cents of the close before it. Volume follows the session's U and is whole.
    """
    path = _cents(_calmest_path(day, minutes, random), day)
    path[0], path[-1] = day.open, day.close
    slip = random.integers(-1, 2, size=minutes) * 0.01
    opens = _cents(path[:-1] + slip, day)
    opens[0] = day.open
    closes = path[1:]
    wick = np.abs(np.diff(path)).mean() * _WICK
    highs = np.maximum(
        np.maximum(opens, closes), _cents(np.maximum(opens, closes) + random.exponential(wick, minutes), day)
    )
    lows = np.minimum(
        np.minimum(opens, closes), _cents(np.minimum(opens, closes) - random.exponential(wick, minutes), day)
    )
    highs[np.argmax(highs)] = day.high
    lows[np.argmin(lows)] = day.low
    return MinuteBars(opens, highs, lows, closes, _volumes(day.volume, minutes, random))


def draw_round_the_clock(start_price: float, *, random: np.random.Generator) -> MinuteBars:
    """Return the 1440 minutes of one day of a market that never closes, beginning at `start_price`.

    A geometric random walk without drift, busier in the hours after 13:00 UTC. Prices are whole cents, volumes
    fractions of 1/1024, so that sums of them are exact in any order.
    """
    hours = np.arange(_DAY_MINUTES) / 60.0
    activity = 1.0 + 0.5 * np.cos((hours - 15.0) * (2.0 * np.pi / 24.0))
    sigma = _YEARLY_VOLATILITY / np.sqrt(365.0 * _DAY_MINUTES)
    returns = random.standard_normal(_DAY_MINUTES) * sigma * activity
    path = np.round(start_price * np.exp(np.concatenate(([0.0], np.cumsum(returns)))), 2)
    opens, closes = path[:-1], path[1:]
    reach = random.exponential(sigma * _WICK, (2, _DAY_MINUTES)) * activity
    highs = np.maximum(np.maximum(opens, closes), np.round(np.maximum(opens, closes) * (1.0 + reach[0]), 2))
    lows = np.minimum(np.minimum(opens, closes), np.round(np.minimum(opens, closes) * (1.0 - reach[1]), 2))
    busy = activity * random.lognormal(0.0, 1.0, _DAY_MINUTES)
    volumes = np.maximum(1.0, np.round(busy * 8.0 * _VOLUME_GRAIN)) / _VOLUME_GRAIN
    return MinuteBars(opens, highs, lows, closes, volumes)


def _calmest_path(day: DayBar, minutes: int, random: np.random.Generator) -> Floats:
    clock = np.linspace(0.0, 1.0, minutes + 1)
    steps = random.standard_normal((_CANDIDATES, minutes)) * np.sqrt(_u_shape(minutes))
    walks = np.concatenate((np.zeros((_CANDIDATES, 1)), np.cumsum(steps, axis=1)), axis=1)
    bridges = walks - clock * walks[:, -1:]
    line = day.open + (day.close - day.open) * clock
    paths = line + _stretched(bridges, day.high - line) - _stretched(-bridges, line - day.low)
    # A bridge on one side of its line cannot be stretched to the other side's extreme: the gap left would
    # become one long wick, so it counts like a step of that size.
    steepest = np.abs(np.diff(paths, axis=1)).max(axis=1)
    gap = np.maximum(day.high - paths.max(axis=1), paths.min(axis=1) - day.low)
    chosen: Floats = paths[np.argmin(np.maximum(steepest, gap))]
    return chosen


def _stretched(bridges: Floats, room: Floats) -> Floats:
    """Scale each bridge's part above zero by the largest factor that stays within `room`."""
    above = np.maximum(bridges, 0.0)
    factors = np.divide(room, above, out=np.full_like(above, np.inf), where=above > 0.0).min(axis=1, keepdims=True)
    return np.where(np.isfinite(factors), factors, 0.0) * above


def _cents(prices: Floats, day: DayBar) -> Floats:
    rounded: Floats = np.clip(np.round(prices, 2), day.low, day.high)
    return rounded


def _u_shape(minutes: int) -> Floats:
    place = np.linspace(-1.0, 1.0, minutes)
    shape: Floats = 1.0 + _U_DEPTH * place**2
    return shape


def _volumes(total: float, minutes: int, random: np.random.Generator) -> Floats:
    """Split a whole total into whole parts by largest remainder, none of them 0."""
    weights = _u_shape(minutes) * random.lognormal(0.0, _VOLUME_NOISE, minutes)
    shares = (total - minutes) * weights / weights.sum()
    parts: Floats = np.floor(shares) + 1.0
    missing = round(total - parts.sum())
    parts[np.argsort(parts - 1.0 - shares, kind="stable")[:missing]] += 1.0
    return parts
