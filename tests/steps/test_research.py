"""The catalogue as it is stored."""

from collections.abc import Callable
from typing import Any

from chandlery.steps.research import publish_catalogue, strategy_names
from chandlery.store.warehouse import Warehouse
from chandlery.strategies import all_strategies, definition_hash, from_json

Ask = Callable[..., list[tuple[Any, ...]]]


def test_catalogue_holds_every_strategy_once(warehouse: Warehouse, ask: Ask) -> None:
    rows = publish_catalogue(warehouse)
    assert publish_catalogue(warehouse) == rows
    assert [row["strategy"] for row in rows] == list(strategy_names()) == list(all_strategies())
    stored = ask(warehouse, "select strategy, definition_hash, definition::text from research.strategies order by 1")
    assert [(name, known) for name, known, _ in stored] == [
        (name, definition_hash(strategy)) for name, strategy in sorted(all_strategies().items())
    ]
    assert [definition_hash(from_json(text)) for _, _, text in stored] == [known for _, known, _ in stored]
