"""Random rules about the position on random bars: what nobody would write, and the simulators must agree on."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from chandlery.backtest import Costs, Execution, FeeKind, Mode, Panel
from chandlery.strategies import (
    Adds,
    Basis,
    Bracket,
    Const,
    Distance,
    EntryOrder,
    Expression,
    Int,
    OrderKind,
    Param,
    Session,
    Sides,
    Sizing,
    SizingKind,
    Strategy,
    Trail,
)
from chandlery.strategies.operations import close, high, highest, low, lowest, open_, sma, where

_SIGNALS = (
    close > open_,
    close < open_,
    close > close[1],
    close < close[1],
    close > sma(close, 3),
    close < sma(close, 3),
    (close > close[1]) & (close[1] > close[2]),
    (close < close[1]) & (close[1] < close[2]),
    close > 0.0,
    close >= highest(high, 4),
    close <= lowest(low, 4),
)
_LEVELS = (
    highest(high, Param("n")),
    lowest(low, Param("n")),
    high,
    low,
    close,
    sma(close, 4),
    close + 0.5,
    close - 0.5,
)
_BOUNDED = (1.0, 2.0, 0.4)


class Draw:
    """Draws of one seed."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def chance(self, share: float) -> bool:
        """Return whether something happens that happens in `share` of the cases."""
        return bool(self._random.random() < share)

    def one(self, choices: Sequence[Any]) -> Any:
        """Return one of `choices`."""
        return choices[int(self._random.integers(len(choices)))]

    def distance(self, bases: tuple[Basis, ...]) -> Distance:
        """Return a distance; some values are series, some of those na now and then."""
        basis = self.one(bases)
        if basis is Basis.PRICE:
            return Distance(value=self.one(_LEVELS), basis=basis, is_frozen=self.chance(0.3))
        scale = {Basis.TICKS: 100.0, Basis.PERCENT: 1.0}.get(basis, 1.0)
        value: Expression = Const(self.one(_BOUNDED) * scale)
        if self.chance(0.5):
            value = (high - low) * (0.7 * scale)
        if self.chance(0.2):
            value = where(close > open_, value, sma(close, 3) * (0.01 * scale))
        return Distance(value=value, basis=basis, is_frozen=self.chance(0.3))

    def bracket(self, *, trails: bool) -> Bracket | None:
        """Return exits, or none."""
        exits = (Basis.PRICE, Basis.DISTANCE, Basis.PERCENT, Basis.TICKS)
        stop = self.distance(exits) if self.chance(0.6) else None
        limit = self.distance(exits) if self.chance(0.5) else None
        trail = None
        if trails and self.chance(0.4):
            activation = self.distance(exits[1:]) if self.chance(0.5) else None
            trail = Trail(offset=self.distance(exits[1:]), activation=activation)
        max_bars = Const(self.one((1, 2, 5))) if self.chance(0.2) else None
        if stop is None and limit is None and trail is None and max_bars is None:
            return None
        return Bracket(stop=stop, limit=limit, trail=trail, max_bars=max_bars)

    def order(self) -> EntryOrder | None:
        """Return an entry at a level, or none."""
        if self.chance(0.45):
            return None
        cancel = self.one(_SIGNALS) if self.chance(0.3) else None
        return EntryOrder(kind=self.one((OrderKind.STOP, OrderKind.LIMIT)), level=self.one(_LEVELS), cancel=cancel)


def random_strategy(seed: int, *, adds: bool = True) -> Strategy:
    """Return a strategy of random rules."""
    draw = Draw(seed)
    pyramids = adds and draw.chance(0.3)
    sizing = Sizing(value=Const(draw.one((100.0, 30.0, 75.0))))
    if draw.chance(0.3):
        sizing = draw.one((
            Sizing(kind=SizingKind.FIXED, value=Const(7)),
            Sizing(kind=SizingKind.CASH, value=Const(2_500.0)),
            Sizing(value=where(close > open_, close * 0.0 + 50.0, close * 0.0 + 20.0)),
            Sizing(value=(close - sma(close, 4)) * 40.0),
        ))  # fmt: skip
    distance = draw.distance((Basis.DISTANCE, Basis.PERCENT, Basis.TICKS))
    both = draw.chance(0.75)
    return Strategy(
        name="random",
        version=1,
        family="trend",
        title="Random",
        doc="Random rules.",
        params={"n": Int(default=3, lo=1, hi=20)},
        long_entry=draw.one(_SIGNALS) & (high >= highest(low, Param("n"))),
        long_exit=draw.one(_SIGNALS) if draw.chance(0.7) else close < 0.0,
        short_entry=draw.one(_SIGNALS) if both else None,
        short_exit=draw.one(_SIGNALS) if both and draw.chance(0.7) else None,
        long_order=draw.order(),
        short_order=draw.order() if both else None,
        one_cancels_other=draw.chance(0.3),
        long_bracket=draw.bracket(trails=not pyramids),
        short_bracket=draw.bracket(trails=not pyramids) if both else None,
        adds=Adds(units=draw.one((2, 4)), distance=distance) if pyramids else None,
        sizing=sizing,
        session=Session(start=180, end=900, is_flat_outside=draw.chance(0.5)) if draw.chance(0.15) else None,
    )


def random_bars(seed: int, bars: int) -> Panel:
    """Return coarse bars with gaps, flat stretches and many equal prices; off the tick now and then."""
    random = np.random.default_rng(seed + 1)
    step = random.choice([0.25, 0.5, 0.01])
    closes = 100.0 + step * np.cumsum(random.integers(-4, 5, bars) * (random.random(bars) < 0.9))
    closes = np.maximum(closes, 5.0)
    gaps = step * random.integers(-6, 7, bars) * (random.random(bars) < 0.3)
    opens = np.maximum(np.concatenate((closes[:1], closes[:-1])) + gaps, 1.0)
    reach = step * random.integers(0, 4, (2, bars))
    high = np.maximum(opens, closes) + reach[0]
    low = np.maximum(np.minimum(opens, closes) - reach[1], 0.5)
    prices = np.stack([opens, high, low, closes])
    if random.random() < 0.3:
        prices = prices * 1.00037
    stamps = 1_600_000_000_000_000 + np.arange(bars, dtype=np.int64) * 3_600_000_000
    return Panel("RANDOM", "1h", stamps, np.concatenate([prices, np.full((1, bars), 10.0)]))


def random_execution(seed: int, mode: Mode) -> Execution:
    """Return random costs in a mode; both sides mostly."""
    draw = Draw(seed + 2)
    sides = Sides.BOTH if draw.chance(0.8) else Sides.LONG
    if mode is Mode.SIMPLE:
        return Execution(sides=sides, costs=Costs(fee=draw.one((0.0, 0.001)), slippage=draw.one((0.0, 0.0005))))
    kind = draw.one((FeeKind.PERCENT, FeeKind.PERCENT, FeeKind.PER_ORDER, FeeKind.PER_CONTRACT))
    fee = {FeeKind.PERCENT: 0.0005, FeeKind.PER_ORDER: 1.5, FeeKind.PER_CONTRACT: 0.02}[kind]
    costs = Costs(fee=fee, fee_kind=kind, slippage_ticks=draw.one((0, 0, 2)))
    return Execution(
        mode=mode,
        sides=sides,
        costs=costs,
        capital=draw.one((10_000.0, 100_000.0)),
        tick=draw.one((0.01, 0.25, 0.01)),
        lot=draw.one((1.0, 0.01, 1e-6)),
        point_value=draw.one((1.0, 1.0, 5.0)),
    )
