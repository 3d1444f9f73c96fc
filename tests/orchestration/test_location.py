"""The location as Dagster sees it: every asset says what it is, every clock is stopped."""

import warnings
from datetime import UTC, datetime

import dagster as dg
import pytest

from chandlery.settings import Settings

STAGES = {"universe", "bars", "quality", "candles", "research", "risk", "serving"}
GRAPH = {
    "universe": {
        *(f"ops/{name}" for name in ("instruments", "instrument_tickers", "corporate_actions")),
        *(f"ops/{name}" for name in ("sessions", "session_exceptions")),
        *(f"raw/massive__{name}" for name in ("splits", "dividends", "ticker_events")),
    },
    "quality": {
        "ops/findings",
        "ops/witness_sources",
        *(f"marts/{name}" for name in ("asked_sessions", "session_holes", "quality_scores_daily")),
        *(f"marts/{name}" for name in ("coverage_daily", "gaps")),
    },
    "candles": {f"marts/candles_{name}" for name in ("5m", "15m", "30m", "1h", "4h", "1d", "1w")},
    "research": {
        f"research/{name}" for name in ("strategies", "studies", "equity", "study_exports", "exports_cleanup")
    },
    "risk": {"research/risk_reports"},
    "serving": {
        "ops/publication",
        *(f"serving/{name}" for name in ("candles_v1", "quality_v1", "symbols_v1", "strategies_v1")),
        *(f"serving/{name}" for name in ("studies_v1", "study_equity_v1", "reports_v1")),
    },
}


@pytest.fixture(scope="module")
def specs(location: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in location.resolve_all_asset_specs()}


def test_every_asset_has_group_description_owner_and_kind(specs: dict[str, dg.AssetSpec]) -> None:
    lacking = {
        key: [name for name in ("group_name", "description", "owners", "kinds") if not getattr(spec, name)]
        for key, spec in specs.items()
    }
    assert {key: names for key, names in lacking.items() if names} == {}


def test_groups_are_the_seven_stages(specs: dict[str, dg.AssetSpec]) -> None:
    assert {spec.group_name for spec in specs.values()} == STAGES


@pytest.mark.parametrize("stage", sorted(GRAPH))
def test_stage_holds_its_assets(specs: dict[str, dg.AssetSpec], stage: str) -> None:
    assert {key for key, spec in specs.items() if spec.group_name == stage} == GRAPH[stage]


def test_models_wait_for_the_bars_they_read_through_views(specs: dict[str, dg.AssetSpec]) -> None:
    minutes, days = (dg.AssetKey(["raw", f"massive__bars_{name}"]) for name in ("1m", "1d"))
    upstream = {key: {dep.asset_key for dep in spec.deps} for key, spec in specs.items()}
    assert all(minutes in upstream[key] for key in GRAPH["candles"])
    for key in ("marts/quality_scores_daily", "serving/candles_v1", "serving/quality_v1"):
        assert {minutes, days} <= upstream[key]
    assert dg.AssetKey(["ops", "findings"]) in upstream["marts/quality_scores_daily"]


def test_what_users_read_has_a_freshness_policy(specs: dict[str, dg.AssetSpec]) -> None:
    fresh = {key for key, spec in specs.items() if spec.freshness_policy is not None}
    assert fresh == {"serving/candles_v1", "serving/quality_v1", "ops/publication", "research/risk_reports"}


def test_dbt_tests_are_asset_checks(location: dg.Definitions) -> None:
    keys = location.resolve_asset_graph().asset_check_keys
    named = {(key.asset_key.to_user_string(), key.name) for key in keys}
    assert ("serving/candles_v1", "high_and_low_cover_the_body") in named
    assert ("marts/quality_scores_daily", "every_landed_session_has_a_score") in named
    assert ("raw/massive__bars_1m", "batch_fulfils_the_contract") in named
    assert ("research/risk_reports", "no_hard_limit_is_breached") in named
    assert ("ops/corporate_actions", "no_action_is_suspected") in named
    assert ("ops/findings", "session_is_complete") in named
    assert ("marts/quality_scores_daily", "every_gap_has_a_reason") in named
    assert ("marts/candles_1d", "candle_equals_its_finer_ones") in named
    assert ("raw/massive__bars_1m", "no_partition_left_failed") in named


def test_no_run_is_split_into_several_dbt_processes(location: dg.Definitions) -> None:
    nodes = {node.name for node in location.resolve_implicit_global_asset_job_def().graph.nodes}
    assert {name for name in nodes if name.startswith(("views", "market_models", "research_models"))} == {
        "views",
        "market_models",
        "research_models",
    }


def test_jobs_are_verb_and_object(location: dg.Definitions) -> None:
    jobs = {job.name for job in location.resolve_all_job_defs()}
    assert {
        "sync_universe",
        "ingest_bars",
        "judge_quality",
        "build_candles",
        "refresh_market",
        "run_studies",
        "report_risk",
        "publish_research",
    } <= jobs


def test_schedules_ship_stopped_and_name_their_zone(location: dg.Definitions) -> None:
    schedules = {item.name: item for item in location.schedules or []}
    assert set(schedules) == {
        "refresh_market_daily",
        "finalize_market_daily",
        "judge_quality_hourly",
        "run_studies_daily",
        "sync_universe_daily",
        "clean_exports_daily",
        "report_risk_daily",
        "publish_research_daily",
    }
    for item in schedules.values():
        assert item.default_status is dg.DefaultScheduleStatus.STOPPED
        assert item.execution_timezone == "UTC"
    assert schedules["refresh_market_daily"].cron_schedule == "0 2 * * *"


def test_refresh_asks_for_the_last_seven_days_as_one_run(location: dg.Definitions) -> None:
    schedule = location.get_repository_def().get_schedule_def("refresh_market_daily")
    at = datetime(2024, 1, 9, 2, 0, tzinfo=UTC)
    with dg.build_schedule_context(scheduled_execution_time=at) as context:
        requests = schedule.evaluate_tick(context).run_requests
    assert requests is not None
    tags = [{name: text for name, text in request.tags.items() if "partition_range" in name} for request in requests]
    assert tags == [
        {"dagster/asset_partition_range_start": "2024-01-02", "dagster/asset_partition_range_end": "2024-01-08"}
    ]


def test_schedules_start_when_the_settings_say_so(location: dg.Definitions) -> None:
    assert location is not None
    from orchestration.automation import schedules

    settings = Settings.model_validate({"dagster": {"schedules_running": True}})
    assert {item.default_status for item in schedules(settings)} == {dg.DefaultScheduleStatus.RUNNING}


def test_no_secret_reaches_the_location_snapshot(location: dg.Definitions, monkeypatch: pytest.MonkeyPatch) -> None:
    assert location is not None
    canary = "canary-5f2e"
    monkeypatch.setenv("CHANDLERY_MASSIVE__API_KEY", canary)
    monkeypatch.setenv("CHANDLERY_DATABASE__PASSWORD", canary)
    from chandlery.settings import load_settings
    from orchestration.definitions import build

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rebuilt = build(load_settings())
    fields = {name: value.__dict__ for name, value in (rebuilt.resources or {}).items()}
    assert canary not in repr(fields)
