"""The library of strategies: every definition with its parameters, signals and rules."""

from collections.abc import Iterator, Mapping
from typing import Any

from chandlery.steps.catalogue import list_strategies, show_strategy
from docs._generate.tables import code, table


def strategies() -> Iterator[str]:
    """Yield the page of strategies."""
    every: list[Any] = list_strategies()
    families = list(dict.fromkeys(facts["family"] for facts in every))
    yield "# Strategies"
    yield ""
    yield f"{len(every)} definitions, each one frozen value in `src/chandlery/strategies/<family>/<name>.py`. The"
    yield "search space is the lattice of the parameters; warm-up counts the bars before the first full decision, with"
    yield "the defaults. `chandlery strategies NAME` prints the same, `--json` as a document. Words of signals and"
    yield "rules are those of [indicators](indicators.md); how orders are filled:"
    yield "[conventions](../explanation/backtest-conventions.md)."
    yield ""
    counted = [(family, [facts for facts in every if facts["family"] == family]) for family in families]
    names = ((family, len(group), " ".join(_link(facts["name"]) for facts in group)) for family, group in counted)
    yield from table(("family", "definitions", "names"), names)
    for family, group in counted:
        yield from ("", f"## {family.replace('_', ' ').capitalize()}")
        for facts in group:
            yield from _strategy(facts["name"])


def _link(name: str) -> str:
    return f"[{code(name)}](#{name})"


def _strategy(name: str) -> Iterator[str]:
    facts: Mapping[str, Any] = show_strategy(name)
    yield from ("", f"### `{name}`", "", f"**{facts['title']}.** {facts['doc']}", "")
    if facts["params"]:
        head = ("parameter", "default", "lowest", "highest", "step")
        rows = [(code(p["name"]), p["default"], p["lo"], p["hi"], p["step"]) for p in facts["params"]]
        yield from (*table(head, rows), "")
    lines = [("where", part, " = ", text) for part, text in facts["let"].items()]
    lines += [("signal", part, ": ", text) for part, text in facts["signals"].items()]
    lines += [("rule", part, ": ", text) for part, text in facts["rules"].items()]
    for constraint in facts["constraints"]:
        yield f"- constraint: {code(constraint)}"
    for kind, part, sign, text in lines:
        yield f"- {kind} {code(f'{part}{sign}{text}')}"
    export = "exports to Pine" if facts["exportable"] else "does not export to Pine"
    yield f"- version {facts['version']}; {facts['lattice']:,} candidates; warm-up {facts['warmup']} bars; {export}"
    yield f"- after {'; '.join(facts['refs'])}"
