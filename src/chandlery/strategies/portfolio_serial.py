"""JSON form of a strategy over several symbols."""

import json
from typing import Any

from chandlery.errors import ResearchError
from chandlery.strategies.expression_serial import expression_document, expression_from
from chandlery.strategies.head_serial import head_document, head_from
from chandlery.strategies.portfolios import Pair, Portfolio, Rotation, Top, TopKind

_TYPES: dict[str, type[Rotation] | type[Pair]] = {"rotation": Rotation, "pair": Pair}


def portfolio_to_json(portfolio: Portfolio) -> str:
    """Return the canonical JSON text: sorted keys, no blanks; parameters and names keep their order as lists."""
    document: dict[str, Any] = {
        "type": type(portfolio).__name__.lower(),
        **head_document(portfolio),
        "expressions": {place: expression_document(value) for place, value in portfolio.expressions.items()},
    }
    if isinstance(portfolio, Rotation) and portfolio.top is not None:
        document["expressions"]["top"] = {"kind": portfolio.top.kind, "value": document["expressions"]["top"]}
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def portfolio_from_json(text: str) -> Portfolio:
    """Return the rotation or pair that `portfolio_to_json` wrote, checked as any other.

    Raises:
        ResearchError: if the text is not such a document, or the definition in it is wrong.
    """
    try:
        document = json.loads(text)
        placed = dict(document["expressions"])
        top = placed.pop("top", None)
        parts: dict[str, Any] = {place: expression_from(value) for place, value in placed.items()}
        if top is not None:
            parts["top"] = Top(TopKind(top["kind"]), expression_from(top["value"]))
        return _TYPES[document["type"]](**head_from(document), **parts)
    except (KeyError, TypeError, ValueError) as error:
        raise ResearchError(f"A portfolio was read from JSON and is malformed: {error!r}.") from error
