"""Candles, quality scores and what the API reads of them: the dbt models that follow sessions."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets

from chandlery.settings import Settings
from chandlery.steps.models import window_variables
from chandlery.steps.thresholds import checked_thresholds
from chandlery.store.warehouse import Warehouse
from orchestration.dbt import MARKET, VIEWS, StageTranslator, build_models, manifest
from orchestration.failures import boundary
from orchestration.partitions import DAILY, RANGE, window_of
from orchestration.quality_pictures import MOST_PICTURED, PICTURED, quality_pictures


@dbt_assets(
    manifest=manifest(),
    select=VIEWS.select,
    exclude=VIEWS.exclude,
    backfill_policy=RANGE,
    dagster_dbt_translator=StageTranslator(),
    name="views",
)
def views(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: dg.ResourceParam[Warehouse]
) -> Iterator[Any]:
    """Views over raw and ops: definitions without rows of their own, so without partitions."""
    with boundary(context):
        yield from build_models(context, dbt, warehouse, {})


@dbt_assets(
    manifest=manifest(),
    select=MARKET.select,
    exclude=MARKET.exclude,
    partitions_def=DAILY,
    backfill_policy=RANGE,
    dagster_dbt_translator=StageTranslator(),
    name="market_models",
)
def market_models(
    context: dg.AssetExecutionContext,
    dbt: DbtCliResource,
    settings: dg.ResourceParam[Settings],
    warehouse: dg.ResourceParam[Warehouse],
) -> Iterator[Any]:
    """Rebuild the window of this run in every selected model; rows outside it stay as they are."""
    with boundary(context):
        start, end = window_of(context)
        # Dagster writes the metadata once a partition: 13 years of days would hold 4,750 copies of a picture.
        pictures = {PICTURED: lambda: quality_pictures(warehouse, start, end)} if end - start <= MOST_PICTURED else {}
        variables = window_variables(start, end, checked_thresholds(settings))
        yield from build_models(context, dbt, warehouse, variables, pictures)
