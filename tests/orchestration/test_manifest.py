"""The manifest is found where the code location looks for it, whatever the environment says."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orchestration import dbt


def test_a_target_path_of_the_environment_does_not_move_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(dbt, "_TARGET", tmp_path)
    monkeypatch.setattr(dbt, "_MANIFEST", tmp_path / "manifest.json")
    with ThreadPoolExecutor(2) as pool:  # Two processes start together: neither reads half a file.
        found = list(pool.map(lambda _: json.loads(dbt.manifest().read_text()), range(2)))
    assert [one["metadata"]["project_name"] for one in found] == ["chandlery"] * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["manifest.json", "partial_parse.msgpack"]
