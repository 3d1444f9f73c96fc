"""Partitions: a day is a session, a range is one window, and a receipt becomes metadata."""

from datetime import date

import dagster as dg
import pytest

from chandlery.errors import InvalidInput
from chandlery.steps.bars import parse_span
from chandlery.steps.models import window_variables
from chandlery.strategies import all_strategies
from orchestration.metadata import picture, table
from orchestration.partitions import DAILY, STRATEGIES, window_of


def _window(**choice: object) -> tuple[date, date]:
    seen: list[tuple[date, date]] = []

    @dg.asset(partitions_def=DAILY, backfill_policy=dg.BackfillPolicy.single_run())
    def probe(context: dg.AssetExecutionContext) -> None:
        seen.append(window_of(context))

    assert dg.materialize([probe], **choice).success  # type: ignore[arg-type]
    return seen[0]


def test_one_partition_is_one_session() -> None:
    assert _window(partition_key="2013-02-28") == (date(2013, 2, 28), date(2013, 3, 1))


def test_a_range_is_one_window_with_an_exclusive_end() -> None:
    tags = {"dagster/asset_partition_range_start": "2012-12-24", "dagster/asset_partition_range_end": "2013-02-28"}
    assert _window(tags=tags) == (date(2012, 12, 24), date(2013, 3, 1))


def test_window_becomes_dbt_variables() -> None:
    told = window_variables(date(2013, 2, 28), date(2013, 3, 1), {"freshness_minutes": 20.0})
    assert told == {"start_session": "2013-02-28", "end_session": "2013-03-01", "freshness_minutes": 20.0}


def test_every_strategy_is_a_partition() -> None:
    assert STRATEGIES.get_partition_keys() == sorted(all_strategies())


def test_span_is_inclusive_as_in_dagster() -> None:
    assert parse_span("2013-01-02...2013-03-01") == (date(2013, 1, 2), date(2013, 3, 2))


@pytest.mark.parametrize("text", ["2013-01-02", "2013-13-01...2013-03-01", "2013-03-01...2013-01-02", ""])
def test_malformed_span_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_span(text)


def test_long_table_is_cut_and_counted() -> None:
    rows = [{"row": number} for number in range(40)]
    text = table(rows).value
    assert text is not None
    assert "… and 15 more" in text
    assert "| 24 |" in text
    assert "| 25 |" not in text


def test_picture_is_inline() -> None:
    value = picture("<svg/>").value
    assert value is not None
    assert value.startswith("![plot](data:image/svg+xml;base64,")
