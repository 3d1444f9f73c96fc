"""Spans and rows: walk-forward folds as dates, chosen candidates, trades."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from chandlery.reports.study.curves import iso
from chandlery.reports.study.schema import ChoiceRow, FoldRow, TradeRow, Trades, WalkForwardBlock

_BLOCKS = (16, 64)

SHOWN_TRADES = 14
"""Trades shown from each end; fewer than twice as many are shown whole."""


def walk_forward(schemes: Sequence[Mapping[str, Any]], stamps: Sequence[datetime]) -> list[WalkForwardBlock]:
    """Return each walk-forward with its spans of blocks as times of bars; `stamps` one per bar.

    The search keeps 64 blocks, or 16 for a large table.
    """
    return [_scheme(scheme, stamps) for scheme in schemes]


def _scheme(scheme: Mapping[str, Any], stamps: Sequence[datetime]) -> WalkForwardBlock:
    last = max((fold["test_end"] for fold in scheme["folds"]), default=1)
    blocks = next((count for count in _BLOCKS if last <= count), last)
    return {
        "scheme": scheme["scheme"],
        "sharpe": scheme["sharpe"],
        "mean_return": scheme["mean_return"],
        "efficiency": scheme["efficiency"],
        "folds": [_fold(fold, stamps, blocks) for fold in scheme["folds"]],
    }


def _fold(fold: Mapping[str, Any], stamps: Sequence[datetime], blocks: int) -> FoldRow:
    train = _span(fold["train_first"], fold["train_end"], stamps, blocks)
    test = _span(fold["test_first"], fold["test_end"], stamps, blocks)
    return {
        "train_first": train[0],
        "train_last": train[1],
        "test_first": test[0],
        "test_last": test[1],
        "params": dict(fold["params"]),
        "train_sharpe": fold["train_sharpe"],
        "test_sharpe": fold["test_sharpe"],
    }


def _span(first: int, end: int, stamps: Sequence[datetime], blocks: int) -> tuple[str, str]:
    # Bar i of n belongs to block i * blocks // n, so block b begins at the bar ceil(b n / blocks).
    bars = len(stamps)
    begins, ends = (min(-(-block * bars // blocks), bars - 1) for block in (first, end))
    return iso(stamps[begins]), iso(stamps[max(ends - (end < blocks), begins)])


def choice_rows(choices: Sequence[Mapping[str, Any]]) -> list[ChoiceRow]:
    """Return the chosen candidates in their order."""
    return [
        {
            "kind": choice["kind"],
            "rank": choice["rank"],
            "number": choice["number"],
            "params": dict(choice["params"]),
            "scores": list(choice["scores"]),
            "detail": dict(choice["detail"]),
        }
        for choice in choices
    ]


def trades(frame: pl.DataFrame) -> Trades:
    """Return the first and last trades, and figures over those that closed."""
    closed = frame.filter(pl.col("exit_ts").is_not_null())["net_return"].drop_nulls()
    rows = frame.sort("seq")
    is_short = rows.height <= 2 * SHOWN_TRADES
    first = rows if is_short else rows.head(SHOWN_TRADES)
    last = rows.clear() if is_short else rows.tail(SHOWN_TRADES)
    figures = {
        "mean": closed.mean(),
        "median": closed.median(),
        "best": closed.max(),
        "worst": closed.min(),
    }
    known = {name: None if value is None else float(value) for name, value in figures.items()}  # type: ignore[arg-type]
    return {
        "total": rows.height,
        "closed": closed.len(),
        "first": [_trade(row) for row in first.to_dicts()],
        "last": [_trade(row) for row in last.to_dicts()],
        "mean": known["mean"],
        "median": known["median"],
        "best": known["best"],
        "worst": known["worst"],
        "returns": closed.to_list(),
    }


def _trade(row: Mapping[str, Any]) -> TradeRow:
    left = row["exit_ts"]
    return {
        "seq": row["seq"],
        "entry_ts": iso(row["entry_ts"]),
        "exit_ts": None if left is None else iso(left),
        "entry_price": row["entry_price"],
        "exit_price": row["exit_price"],
        "net_return": row["net_return"],
    }
