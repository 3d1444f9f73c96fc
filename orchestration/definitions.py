"""The code location: everything Dagster is told, built from settings."""

from collections.abc import Mapping

import dagster as dg

from chandlery.log import configure_plain
from chandlery.settings import Settings, load_settings
from chandlery.steps.thresholds import checked_thresholds
from orchestration import assets, checks
from orchestration.automation import JOBS, SENSORS, schedules, with_freshness
from orchestration.resources import resources


def build(settings: Settings, *, overrides: Mapping[str, object] | None = None) -> dg.Definitions:
    """Return the definitions; `overrides` replaces resources by name (tests pass library objects)."""
    configure_plain()
    checked_thresholds(settings)
    return dg.Definitions(
        assets=dg.load_assets_from_package_module(assets, include_specs=True),
        asset_checks=dg.load_asset_checks_from_package_module(checks),
        resources={**resources(), **(overrides or {})},
        jobs=JOBS,
        schedules=schedules(settings),
        sensors=SENSORS,
        executor=dg.in_process_executor,
    ).map_asset_specs(func=with_freshness)


defs = build(load_settings())
