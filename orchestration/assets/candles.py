"""Candles, quality scores and what the API reads of them: the dbt models that follow sessions."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets

from chandlery.store.warehouse import Warehouse
from orchestration.dbt import RESEARCH_MODELS, StageTranslator, build_models, manifest
from orchestration.failures import boundary
from orchestration.partitions import DAILY, RANGE, dbt_vars, window_of


@dbt_assets(
    manifest=manifest(),
    exclude=" ".join(RESEARCH_MODELS),
    partitions_def=DAILY,
    backfill_policy=RANGE,
    dagster_dbt_translator=StageTranslator(),
    name="market_models",
)
def market_models(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: dg.ResourceParam[Warehouse]
) -> Iterator[Any]:
    """Rebuild the window of this run in every selected model; rows outside it stay as they are."""
    with boundary(context):
        # A run of the universe asks for nothing but tests of its tables: there is no window then.
        variables = dbt_vars(*window_of(context)) if context.has_partition_key_range else {}
        yield from build_models(context, dbt, warehouse, variables)
