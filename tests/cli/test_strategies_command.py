"""`chandlery strategies`: the list, one strategy in full, and what it costs to ask."""

import subprocess
import sys
from typing import Any

import orjson
import pytest

from chandlery.strategies import all_portfolios, all_strategies, catalogue, definition_hash, get_strategy

KEYS = {
    *("name", "family", "title", "version", "doc", "refs", "params", "constraints", "exportable", "lattice"),
    *("warmup", "definition_hash"),
}


def test_json_lists_every_strategy_with_all_its_facts(run: Any) -> None:
    outcome = run("strategies", "--json")
    found = orjson.loads(outcome.out)
    assert (outcome.code, outcome.err) == (0, "")
    assert [entry["name"] for entry in found] == list(catalogue())
    assert len(found) >= 80
    assert {entry["name"] for entry in found if not entry["exportable"]} == set(all_portfolios())
    for entry in found:
        assert set(entry) >= KEYS
        assert all(set(p) == {"name", "type", "default", "lo", "hi", "step", "log"} for p in entry["params"])


def test_facts_of_a_strategy_are_those_of_its_file(run: Any) -> None:
    (entry,) = [item for item in orjson.loads(run("strategies", "--json").out) if item["name"] == "sma_cross"]
    # 39 fast lengths, 76 slow ones; the slow average of 200 bars and its value one bar before.
    assert (entry["lattice"], entry["warmup"], entry["constraints"]) == (39 * 76, 200, ["fast < slow"])
    assert entry["definition_hash"] == definition_hash(get_strategy("sma_cross"))
    assert entry["exportable"] is True


def test_the_table_has_one_row_per_strategy_of_a_family(run: Any) -> None:
    outcome = run("strategies", "--family", "trend")
    names = [line.split("│")[1].strip() for line in outcome.out.splitlines() if line.startswith("│")]
    assert names == [name for name, strategy in all_strategies().items() if strategy.family == "trend"]


def test_one_strategy_shows_its_rules_as_text(run: Any) -> None:
    out = run("strategies", "sma_cross").out
    for text in ("fast_ma = sma(close, fast)", "long_entry: crossover(fast_ma, slow_ma)", "fast < slow", "200 bars"):
        assert text in out
    schema = orjson.loads(run("strategies", "sma_cross", "--json").out)["schema"]
    assert schema["properties"]["fast"]["maximum"] == 200


def test_a_strategy_over_several_symbols_shows_its_expressions(run: Any) -> None:
    outcome = run("strategies", "pairs_zscore")
    assert (outcome.code, outcome.err) == (0, "")
    assert "long_entry: zscore < -enter" in outcome.out
    assert "cannot be exported to Pine" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["sma_crosss"], 7, "near matches are sma_cross"),
        (["--family", "trendy"], 2, "Family was 'trendy'; there are"),
        (["sma_cross", "--family", "trend"], 2, "give one of them"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(run: Any, arguments: list[str], code: int, said: str) -> None:
    outcome = run("strategies", *arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err


def test_asking_for_the_list_loads_no_compiler_database_or_provider() -> None:
    program = (
        "import sys; sys.argv = ['chandlery', 'strategies', '--json']\n"
        "from chandlery.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "names = ('numba', 'llvmlite', 'scipy', 'optuna', 'sqlalchemy', 'httpx', 'great_expectations', 'dagster')\n"
        "print(*[name for name in names if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    assert orjson.loads(done.stdout)
    assert done.stderr.strip() == ""
