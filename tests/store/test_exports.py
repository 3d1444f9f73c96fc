"""Exports: found while they last, told apart when they do not."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from kept_study import instrument_of, opening

from chandlery.errors import ExportExpired, NotFound
from chandlery.store.exports import Export, add_export, expired_exports, find_export, list_exports, mark_removed
from chandlery.store.studies import open_study
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def ids() -> Iterator[str]:
    return (f"{number:032x}" for number in count())


@pytest.fixture(scope="module")
def instrument(warehouse: Warehouse) -> int:
    return instrument_of(warehouse)


@pytest.fixture
def export(warehouse: Warehouse, instrument: int, ids: Iterator[str]) -> Export:
    study = open_study(warehouse, opening(instrument, next(ids)))
    return Export(
        export_id=next(ids),
        study_id=study.study_id,
        kind="pdf",
        file_name="sma.pdf",
        mime_type="application/pdf",
        size=3,
        sha256="ab",
        path="x/sma.pdf",
        created_at=NOW,
        expires_at=NOW + HOUR,
    )


def test_export_is_found_until_its_time_is_over(warehouse: Warehouse, export: Export) -> None:
    add_export(warehouse, export)
    assert find_export(warehouse, export.export_id, now=NOW) == export
    with pytest.raises(ExportExpired, match=rf"2026-11-21 13:00.*chandlery export pdf {export.study_id[:12]}`"):
        find_export(warehouse, export.export_id, now=NOW + HOUR)


def test_export_without_an_end_stays(warehouse: Warehouse, export: Export) -> None:
    lasting = replace(export, expires_at=None)
    add_export(warehouse, lasting)
    assert find_export(warehouse, export.export_id, now=NOW + 10_000 * HOUR) == lasting
    assert lasting not in expired_exports(warehouse, now=NOW + 10_000 * HOUR)


def test_removed_export_is_expired_even_before_its_time(warehouse: Warehouse, export: Export) -> None:
    add_export(warehouse, export)
    assert mark_removed(warehouse, [export.export_id, "unknown"], now=NOW) == 1
    assert mark_removed(warehouse, [export.export_id], now=NOW + HOUR) == 0
    assert list_exports(warehouse, export.study_id) == (replace(export, removed_at=NOW),)
    with pytest.raises(ExportExpired, match="12:00"):
        find_export(warehouse, export.export_id, now=NOW)


def test_expired_are_those_whose_file_is_still_there(warehouse: Warehouse, export: Export, ids: Iterator[str]) -> None:
    others = [replace(export, export_id=next(ids), expires_at=NOW + hours * HOUR) for hours in (-2, -1, 0, 1)]
    for one in others:
        add_export(warehouse, one)
    mark_removed(warehouse, [others[0].export_id], now=NOW)
    found = [one for one in expired_exports(warehouse, now=NOW) if one.study_id == export.study_id]
    assert found == others[1:3]


def test_exports_of_a_study_are_listed_newest_first(warehouse: Warehouse, export: Export, ids: Iterator[str]) -> None:
    younger = replace(export, export_id=next(ids), created_at=NOW + HOUR)
    add_export(warehouse, export)
    add_export(warehouse, younger)
    assert list_exports(warehouse, export.study_id) == (younger, export)


def test_export_of_an_unknown_study_and_an_unknown_export_are_not_found(warehouse: Warehouse, export: Export) -> None:
    with pytest.raises(NotFound, match="no such study"):
        add_export(warehouse, replace(export, study_id="unknown"))
    with pytest.raises(NotFound, match="not found"):
        find_export(warehouse, "unknown", now=NOW)
