"""Python and dbt describe the same columns, in both directions."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from chandlery.store.tables import metadata

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
SOURCES = yaml.safe_load((PROJECT / "models" / "staging" / "_sources.yml").read_text())["sources"]
SERVING = yaml.safe_load((PROJECT / "models" / "serving" / "_models.yml").read_text())["models"]
DECLARED = {(source["name"], table["name"]): table for source in SOURCES for table in source["tables"]}
TYPES = {
    "text": "text",
    "timestamptz": "timestamp with time zone",
    "date": "date",
    "integer": "integer",
    "bigint": "bigint",
    "float8": "double precision",
    "boolean": "boolean",
    "jsonb": "jsonb",
}
KEYS = {
    "candles_v1": ["symbol", "timeframe", "basis", "ts"],
    "quality_v1": ["symbol", "timeframe", "session"],
    "symbols_v1": ["symbol"],
    "strategies_v1": ["strategy"],
    "studies_v1": ["study_id"],
    "study_equity_v1": ["study_id", "ts"],
    "reports_v1": ["report_id"],
}


@pytest.mark.parametrize("key", list(DECLARED), ids=".".join)
def test_source_declares_the_columns_of_its_table(key: tuple[str, str]) -> None:
    columns = [column["name"] for column in DECLARED[key]["columns"]]
    assert columns == [column.name for column in metadata.tables[".".join(key)].columns]


@pytest.mark.parametrize("key", list(DECLARED), ids=".".join)
def test_source_names_its_asset(key: tuple[str, str]) -> None:
    assert DECLARED[key]["config"]["meta"]["dagster"]["asset_key"] == list(key)


def test_every_raw_table_but_the_histories_is_a_source() -> None:
    tables = {("raw", table.name) for table in metadata.tables.values() if table.schema == "raw"}
    assert tables - set(DECLARED) == {("raw", f"massive__bars_{name}_history") for name in ("1m", "1d")}


def test_every_model_reads_only_declared_sources() -> None:
    used = {
        pair
        for path in (PROJECT / "models").rglob("*.sql")
        for pair in re.findall(r"source\('(\w+)', '(\w+)'\)", path.read_text())
    }
    assert used <= set(DECLARED)


@pytest.mark.parametrize("model", SERVING, ids=lambda model: model["name"])
def test_served_relation_equals_its_contract(mart: Any, model: dict) -> None:
    built = mart.rows(
        "select column_name::text, data_type::text, is_nullable = 'YES' from information_schema.columns "
        "where table_schema = 'serving' and table_name = %s order by ordinal_position",
        model["name"],
    )
    declared = [
        (column["name"], TYPES[column["data_type"]], not column.get("constraints")) for column in model["columns"]
    ]
    assert built == declared
    key = mart.rows(
        "select a.attname::text from pg_index i "
        "join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey) "
        "where i.indrelid = %s::regclass and i.indisprimary order by array_position(i.indkey::int2[], a.attnum)",
        f"serving.{model['name']}",
    )
    assert [row[0] for row in key] == KEYS[model["name"]]


def test_every_served_relation_has_a_contract(mart: Any) -> None:
    built = {
        row[0]
        for row in mart.rows(
            "select relname::text from pg_class where relnamespace = 'serving'::regnamespace and relkind in ('r', 'v')"
        )
    }
    assert built == {model["name"] for model in SERVING} == set(KEYS)
    assert all(model["config"]["contract"]["enforced"] for model in SERVING)


def test_reader_sees_serving_and_nothing_else_of_dbt(mart: Any) -> None:
    assert mart.rows("select count(*) > 0 from serving.candles_v1", role="reader") == [(True,)]
    for schema in ("staging", "intermediate", "marts"):
        assert mart.rows(f"select has_schema_privilege('chandlery_reader', '{schema}', 'usage')") == [(False,)]


def test_models_lie_in_exactly_four_schemas(mart: Any) -> None:
    nodes = mart.manifest.nodes.values()
    models = [node for node in nodes if node.resource_type == "model"]
    assert {node.schema for node in models} == {"staging", "intermediate", "marts", "serving"}
    served = [node for node in models if node.schema == "serving" or node.name.startswith("candles_")]
    for node in served:
        assert (node.config.materialized, node.config.incremental_strategy) == ("incremental", "replace_window"), (
            node.name
        )
        assert node.config.full_refresh is False, node.name
