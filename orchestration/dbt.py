"""dbt as Dagster sees it: the manifest, the mapping of models to assets, one way to run it."""

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, DbtProject

from chandlery.settings import export_environment
from chandlery.steps.candles import dbt_environment
from chandlery.steps.models import DBT_PROGRAM, DBT_PROJECT
from chandlery.store.warehouse import Warehouse

_TARGET = DBT_PROJECT / "target"
_MANIFEST = _TARGET / "manifest.json"


@dataclass(frozen=True, slots=True)
class DbtSet:
    """Models that form one asset set, as dbt selects them."""

    select: str
    exclude: str


RESEARCH_MODELS = "strategies_v1 studies_v1 study_equity_v1 reports_v1"
_UNIVERSE_SOURCES = (
    "source:ops.instruments source:ops.instrument_tickers source:ops.sessions source:ops.corporate_actions "
    "source:raw.massive__splits source:raw.massive__dividends source:raw.massive__ticker_events"
)
_BAR_SOURCES = (
    "source:raw.massive__bars_1m source:raw.massive__bars_1d source:raw.massive__quarantine "
    "source:ops.findings source:ops.ingest_windows"
)
_INCREMENTAL = "config.materialized:incremental config.materialized:view_of_marts"
VIEWS = DbtSet(f"config.materialized:view {_UNIVERSE_SOURCES}", f"{_INCREMENTAL} {_BAR_SOURCES} source:research")
MARKET = DbtSet(f"{_INCREMENTAL} {_BAR_SOURCES}", f"{RESEARCH_MODELS} source:research")
RESEARCH = DbtSet(f"{RESEARCH_MODELS} source:research", "config.materialized:view")
"""The three asset sets. An exclusion takes a test away from a set that has only one of its parents, which would
otherwise make the set wait for itself."""
_MINUTES_ONLY = {f"candles_{name}" for name in ("5m", "15m", "30m", "1h", "4h", "1d", "1w")}
_QUALITY = {"asked_sessions", "session_holes", "coverage_daily", "gaps", "quality_scores_daily"}
_SESSIONS = {*_QUALITY, "candles_v1", "quality_v1", "symbols_v1"}
_GROUPS = {
    "staging": "bars",
    "intermediate": "bars",
    "prices": "bars",
    "quality": "quality",
    "coverage": "quality",
    "gaps": "quality",
    "asked": "quality",
    "session": "quality",
    "candles": "candles",
    "serving": "serving",
}


class StageTranslator(DagsterDbtTranslator):
    """Keys are `schema/model`; groups are the stages."""

    def __init__(self) -> None:
        # Tests of sources run in the same build and are reported as observations. As checks they would block the
        # very assets their own models wait for (instruments -> check -> bars), and Dagster cuts each set of models
        # into three dbt processes of 6 s to undo that circle.
        super().__init__(
            settings=DagsterDbtTranslatorSettings(enable_asset_checks=True, enable_source_tests_as_checks=False)
        )

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Return `[schema, name]`, or what a source declares for itself."""
        if dbt_resource_props["resource_type"] == "model":
            return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])
        return super().get_asset_key(dbt_resource_props)

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """Return the spec with what a model reads through views: a run without the views keeps its order."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        return spec.merge_attributes(deps=[dg.AssetKey(key) for key in _read_through_views(spec.key.path[-1])])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """Return the stage a model belongs to: its schema's, else the one its name begins with."""
        schema, name = dbt_resource_props["schema"], dbt_resource_props["name"]
        return _GROUPS.get(schema) or _GROUPS.get(name.split("_")[0]) or "candles"

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> dict[str, str]:
        """Return which runs rebuild the model: `market` by sessions of minutes, `days` by sessions of day bars."""
        if dbt_resource_props["resource_type"] != "model":
            return {}
        name = dbt_resource_props["name"]
        if name in RESEARCH_MODELS.split():
            return {"research_serving": ""}
        if dbt_resource_props["config"].get("materialized") == "view":
            return {"views": ""}
        return {"market": "", "days": ""} if name in _SESSIONS else {"market": ""}

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:  # noqa: ARG002
        """Return the owning team."""
        return ["team:data"]


def _read_through_views(model: str) -> tuple[tuple[str, str], ...]:
    minutes, days, findings = ("raw", "massive__bars_1m"), ("raw", "massive__bars_1d"), ("ops", "findings")
    if model in _MINUTES_ONLY:
        return (minutes,)
    if model in _QUALITY:
        return (minutes, days, findings)
    return (minutes, days) if model in _SESSIONS else ()


def manifest() -> Path:
    """Return the manifest, parsed anew when a file of the project is newer than it."""
    newest = max(
        path.stat().st_mtime
        for folder in ("models", "macros", "tests", "seeds")
        for path in [DBT_PROJECT, *(DBT_PROJECT / folder).rglob("*")]
        if path.suffix in {".sql", ".yml"} or path == DBT_PROJECT
    )
    if not _MANIFEST.exists() or _MANIFEST.stat().st_mtime < newest:
        _parse()
    return _MANIFEST


def _parse() -> None:
    """Parse beside the target folder and move the result in: processes that start together never read half a file."""
    _TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="parse-", dir=_TARGET) as folder:
        places = ["--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT), "--target-path", folder]
        subprocess.run([str(DBT_PROGRAM), "parse", *places, "--quiet"], check=True, cwd=DBT_PROJECT)
        for name in ("partial_parse.msgpack", _MANIFEST.name):
            (Path(folder) / name).replace(_TARGET / name)


def build_models(
    context: dg.AssetExecutionContext,
    dbt: DbtCliResource,
    warehouse: Warehouse,
    variables: Mapping[str, str | float],
    pictures: Mapping[str, Callable[[], Mapping[str, dg.MetadataValue]]] = MappingProxyType({}),
) -> Iterator[Any]:
    """Run `dbt build` on the selected models and yield their materializations and test results.

    `pictures` adds metadata to a model's materialization, by model: it is asked once the model is built.
    """
    export_environment(dbt_environment(warehouse))
    # Unit tests fix their own window; they belong to the test suite.
    arguments = ["build", "--exclude-resource-type", "unit_test", "--vars", json.dumps(dict(variables))]
    for event in dbt.cli(arguments, context=context).stream().fetch_row_counts():
        drawn = pictures.get(event.output_name.split("__")[-1]) if isinstance(event, dg.Output) else None
        yield event if drawn is None else event.with_metadata({**event.metadata, **drawn()})
