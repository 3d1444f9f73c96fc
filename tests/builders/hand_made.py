"""Strategies made by hand, one per rule about the position, for the exporter and the Pine-mode simulator."""

from dataclasses import replace
from typing import Any

from chandlery.strategies import (
    Adds,
    Basis,
    Bracket,
    Const,
    Distance,
    EntryOrder,
    Expression,
    Float,
    Int,
    OrderKind,
    Param,
    Session,
    Sizing,
    SizingKind,
    Strategy,
    Trail,
)
from chandlery.strategies.operations import (
    atr,
    close,
    crossover,
    crossunder,
    high,
    highest,
    low,
    lowest,
    maximum,
    open_,
    sma,
)

_N = Param("n")
_UP, _DOWN = crossover(close, sma(close, _N)), crossunder(close, sma(close, _N))


def hand_made(name: str, **rules: Any) -> Strategy:
    """Return a crossing of close and its average with `rules` on top; both sides unless they are given."""
    chosen: dict[str, Any] = {"long_entry": _UP, "long_exit": _DOWN, "short_entry": _DOWN, "short_exit": _UP} | rules
    return Strategy(
        name=name,
        version=1,
        family="trend",
        title=f"Hand-made {name}",
        doc=f"Hand-made {name}.",
        params={"n": Int(default=10, lo=2, hi=60)} | chosen.pop("params", {}),
        **chosen,
    )


def _distance(value: Expression | float, basis: Basis, *, is_frozen: bool = False) -> Distance:
    return Distance(value=value if isinstance(value, Expression) else Const(value), basis=basis, is_frozen=is_frozen)


def _bracketed(name: str, **bracket: Any) -> Strategy:
    return hand_made(
        name, long_exit=None, short_exit=None, long_bracket=Bracket(**bracket), short_bracket=Bracket(**bracket)
    )


def _channel(name: str, **rules: Any) -> Strategy:
    """Return stop entries at the channel's edges on both sides, each cancelling the other."""
    return hand_made(
        name,
        long_entry=close > 0,
        short_entry=close > 0,
        long_exit=None,
        short_exit=None,
        long_order=EntryOrder(kind=OrderKind.STOP, level=highest(high, _N)),
        short_order=EntryOrder(kind=OrderKind.STOP, level=lowest(low, _N)),
        one_cancels_other=True,
        **rules,
    )


_FROZEN_ATR = _distance(2.0 * atr(_N), Basis.DISTANCE, is_frozen=True)
_RANGE = sma(high - low, _N)

HAND_MADE = {
    strategy.name: strategy
    for strategy in (
        hand_made("market"),
        hand_made("long_only", short_entry=None, short_exit=None),
        _channel("stop_oca"),
        hand_made(
            "stop_cancel",
            long_entry=_UP,
            short_entry=None,
            short_exit=None,
            long_order=EntryOrder(kind=OrderKind.STOP, level=high, cancel=close < lowest(low, 5)[1]),
        ),
        hand_made(
            "limit_entry",
            long_exit=None,
            short_exit=None,
            long_order=EntryOrder(kind=OrderKind.LIMIT, level=low - 0.25 * _RANGE, cancel=_DOWN),
            short_order=EntryOrder(kind=OrderKind.LIMIT, level=high + 0.25 * _RANGE, cancel=_UP),
        ),
        _bracketed("percent_bracket", stop=_distance(3.0, Basis.PERCENT), limit=_distance(4.0, Basis.PERCENT)),
        _bracketed("frozen_atr", stop=_FROZEN_ATR, limit=_FROZEN_ATR),
        _bracketed("tick_bracket", stop=_distance(120, Basis.TICKS), limit=_distance(150, Basis.TICKS)),
        hand_made(
            "price_stop",
            short_entry=None,
            short_exit=None,
            long_bracket=Bracket(stop=_distance(lowest(low, _N), Basis.PRICE)),
        ),
        _bracketed("trail", trail=Trail(offset=_distance(100, Basis.TICKS), activation=_distance(1.0, Basis.PERCENT))),
        _bracketed("trail_at_once", trail=Trail(offset=_FROZEN_ATR)),
        _bracketed("max_bars", max_bars=Const(7)),
        hand_made("max_bars_only_long", short_entry=None, short_exit=None, long_bracket=Bracket(max_bars=Const(3))),
        hand_made(
            "adds",
            short_entry=None,
            short_exit=None,
            adds=Adds(units=4, distance=_distance(0.5 * atr(_N), Basis.DISTANCE)),
            long_bracket=Bracket(stop=_distance(2.0 * atr(_N), Basis.DISTANCE)),
            sizing=Sizing(value=Const(20.0)),
        ),
        hand_made("series_percent", sizing=Sizing(value=maximum(100.0 * (close - open_) / open_, 5.0))),
        hand_made(
            "param_percent",
            sizing=Sizing(value=Param("share")),
            params={"share": Float(default=40.0, lo=5.0, hi=100.0, step=5.0)},
        ),
        hand_made("cash", sizing=Sizing(kind=SizingKind.CASH, value=Const(25_000.0))),
        hand_made("fixed", sizing=Sizing(kind=SizingKind.FIXED, value=Const(10))),
        hand_made("session", session=Session(start=600, end=900, is_flat_outside=True)),
    )
}
"""By name; `session` needs bars within a day."""


def without_short(strategy: Strategy) -> Strategy:
    """Return the long side of `strategy`."""
    return replace(strategy, short_entry=None, short_exit=None, short_order=None, short_bracket=None)
