"""Verdicts: every record of one instrument becomes an action that is accepted, suspected or rejected."""

from collections.abc import Iterable

import polars as pl

from chandlery.market._dividend_verdicts import judge_dividends
from chandlery.market._jumps import DayPrices
from chandlery.market._split_verdicts import judge_splits
from chandlery.market.actions import (
    Action,
    ActionKind,
    Recorded,
    RecordedDividend,
    RecordedSplit,
    RecordedTicker,
    Status,
)

DAY_PRICE_SCHEMA = {"session": pl.Date, "open": pl.Float64, "close": pl.Float64}
"""Raw day prices as evidence: one row per session, any order; rows without positive finite prices say nothing."""


def judge(records: Iterable[Recorded], days: pl.DataFrame, *, currency: str = "USD") -> tuple[Action, ...]:
    """Return the judged actions of one instrument, ascending by ex-date; equal records give one action.

    A split is accepted where raw prices jump by its ratio, at its recorded session or, if that is unambiguous, one
    session beside it; on its record alone where there are no prices (a coming one, or before the first bar), unless
    another record within 10 days competes with it. A dividend is accepted unless something speaks against it.
    Deterministic, and stable while the bars around an action do not change.

    Args:
        records: of one instrument, any order, from any number of sources.
        days: see `DAY_PRICE_SCHEMA`; may be empty.
        currency: of the instrument.
    """
    known = list(records)
    prices = DayPrices.of(days)
    splits = judge_splits((record for record in known if isinstance(record, RecordedSplit)), prices)
    dividends = judge_dividends(
        (record for record in known if isinstance(record, RecordedDividend)),
        prices,
        splits=[split for split in splits if split.status is Status.ACCEPTED],
        currency=currency,
    )
    tickers = _judge_tickers(record for record in known if isinstance(record, RecordedTicker))
    return tuple(sorted([*splits, *dividends, *tickers], key=lambda action: (action.ex_date, action.kind)))


def _judge_tickers(records: Iterable[RecordedTicker]) -> list[Action]:
    """A change is a change: an event that repeats the ticker before it is rejected, two tickers on a day suspected."""
    distinct = sorted({(record.day, record.ticker): record for record in records}.values(), key=lambda r: r.day)
    found, held = [], ""
    for record in distinct:
        rivals = [other.ticker for other in distinct if other.day == record.day and other is not record]
        status, reason = Status.ACCEPTED, "on_record_alone"
        if rivals:
            status, reason = Status.SUSPECTED, "two_tickers_on_one_day"
        elif record.ticker == held:
            status, reason = Status.REJECTED, "ticker_does_not_change"
        else:
            held = record.ticker
        evidence = {"reason": reason, "ticker": record.ticker}
        found.append(
            Action(
                kind=ActionKind.TICKER_CHANGE,
                ex_date=record.day,
                status=status,
                evidence=evidence,
                source=record.source,
            )
        )
    return found
