"""JSON form of a strategy and its hash."""

import hashlib
import json
from typing import Any

from chandlery.errors import ResearchError
from chandlery.strategies.definition import RULES, SIGNALS, Strategy
from chandlery.strategies.expression_serial import expression_document, expression_from
from chandlery.strategies.head_serial import head_document, head_from
from chandlery.strategies.portfolio_serial import portfolio_to_json
from chandlery.strategies.portfolios import Portfolio
from chandlery.strategies.rule_serial import rule_document, rule_from


def to_json(strategy: Strategy) -> str:
    """Return the canonical JSON text: sorted keys, no blanks; parameters and names keep their order as lists."""
    document = {
        **head_document(strategy),
        "signals": {name: expression_document(signal) for name, signal in strategy.signals.items()},
        "rules": {name: rule_document(rule) for name, rule in strategy.rules.items()},
        "one_cancels_other": strategy.one_cancels_other,
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def from_json(text: str) -> Strategy:
    """Return the strategy that `to_json` wrote, checked as any other.

    Raises:
        ResearchError: if the text is not such a document, or the definition in it is wrong.
    """
    try:
        document = json.loads(text)
        signals = document["signals"]
        if unknown := set(signals) - set(SIGNALS):
            raise ResearchError(f"Signals were {', '.join(sorted(unknown))}; known are {', '.join(SIGNALS)}.")
        rules = document["rules"]
        if unknown := set(rules) - set(RULES):
            raise ResearchError(f"Rules were {', '.join(sorted(unknown))}; known are {', '.join(RULES)}.")
        parts: dict[str, Any] = {name: expression_from(signal) for name, signal in signals.items()}
        parts |= {name: rule_from(name, rule) for name, rule in rules.items()}
        return Strategy(**head_from(document), one_cancels_other=document["one_cancels_other"], **parts)
    except (KeyError, TypeError, ValueError) as error:
        raise ResearchError(f"A strategy was read from JSON and is malformed: {error!r}.") from error


def definition_hash(strategy: Strategy | Portfolio) -> str:
    """Return the sha256 of the canonical JSON, 64 hex digits."""
    text = to_json(strategy) if isinstance(strategy, Strategy) else portfolio_to_json(strategy)
    return hashlib.sha256(text.encode()).hexdigest()
