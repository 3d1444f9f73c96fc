"""Serving: research and risk as the API reads them, and the log of what is published."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets

from chandlery.settings import Settings
from chandlery.steps.serving import publish
from chandlery.store.warehouse import Warehouse
from orchestration.dbt import RESEARCH, StageTranslator, build_models, manifest
from orchestration.failures import boundary
from orchestration.metadata import table


@dbt_assets(
    manifest=manifest(),
    select=RESEARCH.select,
    exclude=RESEARCH.exclude,
    dagster_dbt_translator=StageTranslator(),
    name="research_models",
)
def research_models(
    context: dg.AssetExecutionContext, dbt: DbtCliResource, warehouse: dg.ResourceParam[Warehouse]
) -> Iterator[Any]:
    """Rebuild the small relations of studies, strategies and reports in full."""
    with boundary(context):
        yield from build_models(context, dbt, warehouse, {})


@dg.asset(
    key_prefix="ops",
    group_name="serving",
    kinds={"postgres"},
    owners=["team:data"],
    deps=[
        dg.AssetDep(dg.AssetKey(["serving", name]), partition_mapping=dg.AllPartitionMapping())
        for name in ("candles_v1", "quality_v1", "symbols_v1")
    ]
    + [dg.AssetDep(dg.AssetKey(["serving", name])) for name in ("studies_v1", "reports_v1")],
)
def publication(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    warehouse: dg.ResourceParam[Warehouse],
) -> dg.MaterializeResult[None]:
    """Log of published versions: what readers see, since when, from which run and source."""
    with boundary(context):
        rows = publish(warehouse, run_id=context.run.run_id, source=settings.resolved_source)
    return dg.MaterializeResult(metadata={"dagster/row_count": len(rows), "preview": table(rows)})
