"""Tickers of a whole market: which of them can be symbols of ours."""

import polars as pl

from chandlery.market.symbols import SYMBOL_PATTERN


def is_symbol(column: pl.Series) -> pl.Series:
    """Return for each ticker whether it can be a symbol; null cannot."""
    # Each distinct ticker once, in Python: the pattern looks ahead, which the engine of polars cannot.
    known = [ticker for ticker in column.unique() if ticker is not None and SYMBOL_PATTERN.fullmatch(ticker)]
    return column.is_in(known).fill_null(value=False)
