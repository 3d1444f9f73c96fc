"""Scores follow decisions: what was decided on is built again at once, so that nobody reads a stale explanation."""

from datetime import date, timedelta

from rich.console import Console

from chandlery.settings import Settings
from chandlery.steps.candle_judging import judge_candles
from chandlery.steps.models import build_market_models, has_models
from chandlery.steps.thresholds import checked_thresholds
from chandlery.store.warehouse import Warehouse


def rebuild(settings: Settings, warehouse: Warehouse, first: date, last: date) -> None:
    """Build candles and scores of the sessions from `first` to `last`, inclusive, that changed, and check the candles.

    A warehouse in which nothing was built yet stays as it is.

    Raises:
        StoreError: dbt failed; the message ends with its last lines.
    """
    if not has_models(warehouse):
        return
    thresholds, end = checked_thresholds(settings), last + timedelta(days=1)
    with Console(stderr=True).status("building scores"):
        build_market_models(warehouse, start=first, end=end, target=settings.home_dir / "dbt", thresholds=thresholds)
        judge_candles(warehouse, first, end)
