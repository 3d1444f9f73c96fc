"""Exports of studies: what a reader takes along, and the removal of what nobody fetched in time."""

import dagster as dg

from chandlery.settings import Settings
from chandlery.steps.study_exports import clean_exports, export_universe
from chandlery.store.warehouse import Warehouse
from orchestration.failures import boundary
from orchestration.metadata import table
from orchestration.partitions import ONE_BY_ONE, STUDIES, study_of


@dg.asset(
    key_prefix="research",
    group_name="research",
    kinds={"typst", "postgres"},
    owners=["team:research"],
    deps=[dg.AssetKey(["research", "studies"])],
    partitions_def=STUDIES,
    backfill_policy=ONE_BY_ONE,
)
def study_exports(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    warehouse: dg.ResourceParam[Warehouse],
) -> dg.MaterializeResult[None]:
    """PDF report and Pine script of the partition's latest finished study, in the export store for a day."""
    strategy, universe = study_of(context)
    with boundary(context):
        made = export_universe(warehouse, settings, strategy=strategy, universe=universe)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(made),
            "study_id": made[0].export.study_id,
            "exports": table([stored.summary for stored in made]),
            "report": dg.MetadataValue.path(str(made[0].path)),
        }
    )


@dg.asset(key_prefix="research", group_name="research", kinds={"postgres"}, owners=["team:research"])
def exports_cleanup(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    warehouse: dg.ResourceParam[Warehouse],
) -> dg.MaterializeResult[None]:
    """Removal of exports whose time is over, and of files that no export knows."""
    with boundary(context):
        done = clean_exports(warehouse, settings)
    return dg.MaterializeResult(
        metadata={"expired": done.expired, "orphans": done.orphans, "freed_bytes": done.freed_bytes}
    )
