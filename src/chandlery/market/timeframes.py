"""Timeframes: the base bars a source delivers and the seven candles built from them."""

from enum import StrEnum

from chandlery.errors import InvalidInput


class Timeframe(StrEnum):
    """Length of a bar or candle; `ts` is its open and it covers `[ts, ts + timeframe)`."""

    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"
    W1 = "1w"

    @property
    def minutes(self) -> int | None:
        """Length in minutes; None for a day and a week, which follow sessions, not clocks."""
        return _MINUTES.get(self)


_MINUTES = {
    Timeframe.M1: 1,
    Timeframe.M5: 5,
    Timeframe.M15: 15,
    Timeframe.M30: 30,
    Timeframe.H1: 60,
    Timeframe.H4: 240,
}

BASE_TIMEFRAMES = (Timeframe.M1, Timeframe.D1)
"""What a source is asked for."""

CANDLE_TIMEFRAMES = (
    Timeframe.M5,
    Timeframe.M15,
    Timeframe.M30,
    Timeframe.H1,
    Timeframe.H4,
    Timeframe.D1,
    Timeframe.W1,
)
"""What is built from minutes."""


def parse_base_timeframe(text: str) -> Timeframe:
    """Return the base timeframe named `text`.

    Raises:
        InvalidInput: if it is neither 1m nor 1d.
    """
    known = {tf.value: tf for tf in BASE_TIMEFRAMES}
    if text not in known:
        raise InvalidInput(f"Timeframe was {text!r}; sources deliver bars of {' and '.join(known)}.")
    return known[text]


def parse_candle_timeframe(text: str) -> Timeframe:
    """Return the candle timeframe named `text`.

    Raises:
        InvalidInput: if it is none of 5m 15m 30m 1h 4h 1d 1w.
    """
    known = {tf.value: tf for tf in CANDLE_TIMEFRAMES}
    if text not in known:
        raise InvalidInput(f"Timeframe was {text!r}; candles exist for {' '.join(known)}.")
    return known[text]
