"""Bar times: what people write in a time column, as microseconds since the epoch."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ((1e11, 1_000_000.0), (1e14, 1_000.0), (1e17, 1.0), (1e20, 1e-3))
"""Largest number that is read as seconds, milli-, micro- and nanoseconds, and the microseconds of one.

1e11 seconds are the year 5138, 1e11 milliseconds March 1973: the largest number of the column decides for all.
"""
_FIRST_DAY, _LAST_DAY = 19000101, 21001231
_FIRST, _LAST = -2_208_988_800_000_000, 4_133_980_800_000_000
"""1900 and 2101."""


class UnreadableTime(ValueError):
    """Entry `index` of a column is no time."""

    def __init__(self, index: int, text: str, reason: str) -> None:
        super().__init__(reason)
        self.index, self.text, self.reason = index, text, reason


def read_times(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return the instants of a time column, int64 microseconds since the epoch, UTC.

    All entries are ISO 8601 (no zone means UTC), or all are numbers: days written `20130228`, or seconds, milli-,
    micro- or nanoseconds since the epoch, told apart by the largest.

    Raises:
        UnreadableTime: for the first entry that is none.
    """
    if not texts:
        return np.zeros(0, dtype=np.int64)
    first = _number(texts[0])
    return _read_iso(texts) if first is None else _read_numbers(texts)


def _read_iso(texts: Sequence[str]) -> NDArray[np.int64]:
    found = np.empty(len(texts), dtype=np.int64)
    for index, text in enumerate(texts):
        found[index] = _instant(index, text)
    return found


def _instant(index: int, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        reason = "it is empty" if not text else "it is no ISO 8601 time, and the lines before are"
        raise UnreadableTime(index, text, reason if index or not text else "it is no time") from error
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    step = aware - _EPOCH
    return (step.days * 86_400 + step.seconds) * 1_000_000 + step.microseconds


def _read_numbers(texts: Sequence[str]) -> NDArray[np.int64]:
    numbers = []
    for index, text in enumerate(texts):
        number = _number(text)
        if number is None:
            raise UnreadableTime(index, text, "it is no number, and the lines before are")
        numbers.append(number)
    column = np.array(numbers)
    if all(len(text) == 8 for text in texts) and ((column >= _FIRST_DAY) & (column <= _LAST_DAY)).all():
        return _read_iso(texts)
    scale = next((factor for limit, factor in _UNITS if np.abs(column).max() < limit), None)
    if scale is None:
        at = int(np.abs(column).argmax())
        raise UnreadableTime(at, texts[at], "it is too large for a time")
    # Whole numbers stay whole: a float holds microseconds of our time to a quarter only.
    found = np.array([round(int(t) * scale) if _is_whole(t) else round(float(t) * scale) for t in texts])
    outside = (found < _FIRST) | (found > _LAST)
    if outside.any():
        at = int(np.flatnonzero(outside)[0])
        raise UnreadableTime(at, texts[at], "it lies outside 1900 to 2100")
    return found.astype(np.int64)


def _is_whole(text: str) -> bool:
    return text.lstrip("+-").isdigit()


def _number(text: str) -> float | None:
    if not text.isascii() or "_" in text:
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None
