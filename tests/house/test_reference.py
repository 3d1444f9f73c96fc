"""Generated files equal the code: `.env.example` and every page of docs/reference."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chandlery.quality.rules.registry import RULES
from chandlery.quality.series.registry import SERIES_RULES
from chandlery.quality.venue.registry import VENUE_RULES
from chandlery.settings import Settings
from chandlery.strategies import catalogue

GENERATED = (
    ".env.example",
    *(
        f"docs/reference/{name}.md"
        for name in (
            *("settings", "cli", "strategies", "indicators", "rules", "faults", "endpoints", "measures", "assets"),
        )
    ),
)


@pytest.fixture(scope="module")
def written(tree: Any, clean_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with everything `make docs` generates now."""
    folder: Path = tmp_path_factory.mktemp("reference")
    # A process of its own: the assets load Dagster, which this one should not.
    command = [sys.executable, "-W", "ignore", "-m", "docs._generate", str(folder)]
    done = subprocess.run(command, cwd=tree.root, env=clean_environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_file_is_what_the_code_says_now(tree: Any, written: Path, name: str) -> None:
    assert tree.text(name) == (written / name).read_text(), f"{name} is stale. Write it: make docs"


def test_nothing_else_is_generated(written: Path) -> None:
    assert sorted(str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()) == sorted(GENERATED)


def test_the_example_holds_every_setting_with_its_default(tree: Any, tmp_path: Path) -> None:
    lines = [line.removeprefix("#") for line in tree.text(".env.example").splitlines() if line[:2] not in {"# ", ""}]
    given = [line for line in lines if not line.endswith("=")]
    (tmp_path / "env").write_text("\n".join(given))
    assert len(lines) == _count(Settings)
    assert Settings(_env_file=tmp_path / "env") == Settings(_env_file=None)


def test_no_setting_is_active_in_the_example(tree: Any) -> None:
    assert [line for line in tree.text(".env.example").splitlines() if line and not line.startswith("#")] == []


def test_every_strategy_and_rule_has_its_line(tree: Any) -> None:
    strategies, rules = (tree.text(f"docs/reference/{name}.md") for name in ("strategies", "rules"))
    assert [name for name in catalogue() if f"### `{name}`" not in strategies] == []
    assert [name for name in (*RULES, *SERIES_RULES, *VENUE_RULES) if f"\n### {name}\n" not in rules] == []


def test_every_asset_has_a_group_of_the_stages_and_a_description(tree: Any) -> None:
    text = tree.text("docs/reference/assets.md").split("\n## Checks")[0]
    stages = {"universe", "bars", "quality", "candles", "research", "risk", "serving"}
    assert {line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")} == stages
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) > 20
    assert [row[0] for row in rows if len(row[3].rstrip(" |")) < 10] == []


def _count(model: Any) -> int:
    return sum(
        _count(kind) if hasattr(kind := field.annotation, "model_fields") else 1
        for field in model.model_fields.values()
    )
