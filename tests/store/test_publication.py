"""The publication log: one current version of each dataset, numbers without gaps or doubles."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from chandlery.errors import NotMigrated
from chandlery.store.publication import SERVED, current_versions, publish_version
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., None]


@pytest.fixture
def served(fresh: Warehouse, tell: Tell) -> Warehouse:
    tables = [f"create table {relation} as select i from generate_series(1, 3) as i" for relation in SERVED.values()]
    tell(fresh, *tables, role="pipeline")
    return fresh


def publish(warehouse: Warehouse, dataset: str) -> tuple[int, int]:
    return publish_version(warehouse, dataset, run_id="run-1", code_version="0.1.0", source="wiki")


def test_nothing_is_current_before_the_first_publication(served: Warehouse) -> None:
    assert current_versions(served) == {}


def test_each_dataset_counts_its_own_versions(served: Warehouse, tell: Tell) -> None:
    assert [publish(served, name) for name in ("candles", "candles", "quality")] == [(1, 3), (2, 3), (1, 3)]
    tell(served, "delete from serving.candles_v1 where i > 1", role="pipeline")
    assert publish(served, "candles") == (3, 1)
    assert current_versions(served) == {"candles": 3, "quality": 1}


def test_earlier_versions_stay_on_record(served: Warehouse, ask: Ask) -> None:
    publish(served, "studies")
    publish(served, "studies")
    columns = "version, is_current, rows, source, code_version, run_id"
    assert ask(served, f"select {columns} from ops.publication order by version") == [
        (1, False, 3, "wiki", "0.1.0", "run-1"),
        (2, True, 3, "wiki", "0.1.0", "run-1"),
    ]


def test_publications_at_once_get_distinct_versions(served: Warehouse, ask: Ask) -> None:
    begin = threading.Barrier(6, timeout=20)
    given: list[int] = []

    def run() -> None:
        begin.wait()
        given.append(publish(served, "candles")[0])

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == [1, 2, 3, 4, 5, 6]
    assert current_versions(served) == {"candles": 6}
    assert ask(served, "select count(*) from ops.publication where is_current") == [(1,)]


def test_relation_that_was_never_built_is_named(fresh: Warehouse, ask: Ask) -> None:
    with pytest.raises(NotMigrated, match=r"serving\.candles_v1"):
        publish(fresh, "candles")
    assert ask(fresh, "select count(*) from ops.publication") == [(0,)]
