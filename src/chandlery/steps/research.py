"""Research: publish the strategy catalogue."""

import json

from chandlery.store.research import save_strategies
from chandlery.store.warehouse import Warehouse
from chandlery.strategies import Strategy, all_strategies, definition_hash, to_json


def strategy_names() -> tuple[str, ...]:
    """Return the names of all strategies."""
    return tuple(all_strategies())


def publish_catalogue(warehouse: Warehouse) -> tuple[dict[str, object], ...]:
    """Store every strategy definition; return one summary row each."""
    definitions = {name: json.loads(to_json(strategy)) for name, strategy in all_strategies().items()}
    rows = [
        {**_summary(strategy), "definition_hash": definition_hash(strategy), "definition": definitions[name]}
        for name, strategy in all_strategies().items()
    ]
    save_strategies(warehouse, rows)
    return tuple(_summary(strategy) for strategy in all_strategies().values())


def _summary(strategy: Strategy) -> dict[str, object]:
    return {
        "strategy": strategy.name,
        "version": strategy.version,
        "family": strategy.family,
        "title": strategy.title,
    }
