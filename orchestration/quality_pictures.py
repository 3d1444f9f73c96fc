"""Scores and gaps drawn for the UI: of the sessions of a run on the model, of the last year beside the checks."""

from datetime import date, timedelta

import dagster as dg

from chandlery.market.timeframes import BASE_TIMEFRAMES
from chandlery.steps.quality_board import GapBoard, ScoreBoard, gap_board, last_year, score_board
from chandlery.store.warehouse import Warehouse
from orchestration.metadata import picture

MOST_PICTURED = timedelta(days=31)
"""Longest run whose materialization is drawn; longer ones are seen beside the checks."""
PICTURED = "quality_scores_daily"
"""The model whose materialization carries the pictures."""


def quality_pictures(warehouse: Warehouse, start: date, end: date) -> dict[str, dg.MetadataValue]:
    """Return heat map and gap chart of the sessions `[start, end)` by timeframe, those that have something to show."""
    names = [timeframe.value for timeframe in BASE_TIMEFRAMES]
    scores = {name: score_board(warehouse, name, start, end) for name in names}
    gaps = {name: gap_board(warehouse, name, start, end) for name in names}
    return {**heat_maps(scores), **gap_charts(gaps)}


def last_scores(warehouse: Warehouse) -> dict[str, ScoreBoard]:
    """Return the scores of the last year by timeframe, where there are any."""
    boards = {name.value: score_board(warehouse, name.value, *last_year(warehouse, name)) for name in BASE_TIMEFRAMES}
    return {name: board for name, board in boards.items() if board.sessions}


def last_gaps(warehouse: Warehouse) -> dict[str, GapBoard]:
    """Return the gaps of the last year by timeframe, where there are any."""
    boards = {name.value: gap_board(warehouse, name.value, *last_year(warehouse, name)) for name in BASE_TIMEFRAMES}
    return {name: board for name, board in boards.items() if board.gaps}


def heat_maps(boards: dict[str, ScoreBoard]) -> dict[str, dg.MetadataValue]:
    """Return the heat maps as metadata."""
    return {f"heat_map_{name}": picture(board.heat_map) for name, board in boards.items() if board.sessions}


def gap_charts(boards: dict[str, GapBoard]) -> dict[str, dg.MetadataValue]:
    """Return the gap charts as metadata."""
    return {f"gap_chart_{name}": picture(board.chart) for name, board in boards.items() if board.gaps}
