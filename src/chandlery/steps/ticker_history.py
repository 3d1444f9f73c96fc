"""Ticker histories as sources and the default universe tell them, fitted to what the table knows."""

from datetime import date, timedelta
from itertools import pairwise

from chandlery.store.coverage import TickerSpan, ticker_spans
from chandlery.store.tickers import FIRST_DAY, holder_on, rename_instrument, set_tickers
from chandlery.store.universe import read_record
from chandlery.store.warehouse import Writer

TickerHistory = tuple[tuple[str, date], ...]
"""(ticker, first day under it), ascending; the last one is the present ticker."""


def adopt_history(connection: Writer, instrument_id: int, history: TickerHistory, *, source: str) -> bool:
    """Give an instrument the history of its tickers if the table knows only the present one; return whether it did.

    What a person or an earlier sync wrote stands.

    Raises:
        Conflict: another instrument holds one of the tickers on one of the days.
    """
    spans = ticker_spans(connection, instrument_id)
    unknown = {FIRST_DAY, history[0][1], history[-1][1]}
    is_bare = len(spans) == 1 and spans[0].start in unknown and spans[0].ticker == history[-1][0]
    told = [TickerSpan(ticker, start, end[1]) for (ticker, start), end in pairwise(history)]
    told.append(TickerSpan(*history[-1], spans[-1].end))
    if not is_bare or told == list(spans):
        return False
    set_tickers(connection, instrument_id, told, source=source)
    return True


def follow_rename(
    connection: Writer, symbol: str, figi: str | None, history: TickerHistory, *, source: str
) -> str | None:
    """Let an instrument of ours that still goes by a former ticker go by `symbol`; return why not, if not.

    Renames we missed in between are made up for. Nothing happens if somebody holds `symbol` already, or nobody holds
    the latest of the former tickers that we know.
    """
    if holder_on(connection, symbol, None) is not None:
        return None
    steps = list(pairwise(history))
    for place in range(len(steps) - 1, -1, -1):
        (former, _), (_, day) = steps[place]
        holder = holder_on(connection, former, day - timedelta(days=1))
        if holder is None or holder != holder_on(connection, former, None):
            continue
        ours = read_record(connection, holder).facts.composite_figi
        if not is_same_instrument(ours, figi):
            return f"was {former} before {day}, but ours of that name has another FIGI ({ours})"
        for (old, _), (new, since) in steps[place:]:
            rename_instrument(connection, old, new, on=since, source=source)
        return None
    return None


def is_same_instrument(one: str | None, other: str | None) -> bool:
    """Whether two FIGIs do not tell two instruments apart; an unknown one tells nothing."""
    return one is None or other is None or one == other
