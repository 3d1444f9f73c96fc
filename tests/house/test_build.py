"""How the product is built and checked: the Makefile, CI, the hooks before a commit."""

import os
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

TARGETS = ("help", "demo", "up", "test", "lint", "fix", "lock", "docs", "bench", "build", "clean")


def test_the_makefile_documents_at_most_twelve_targets(tree: Any) -> None:
    text = tree.text("Makefile")
    documented = re.findall(r"^([a-z-]+):.*#-- \S", text, re.MULTILINE)
    defined = re.findall(r"^([a-z-]+):", text, re.MULTILINE)
    phony = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert phony is not None
    assert documented == defined == phony[1].split()
    assert sorted(documented) == sorted(TARGETS)
    assert len(documented) <= 12


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_alone_lists_the_targets(tree: Any) -> None:
    # Under `make test` this make would take itself for a part of that one and announce its folder.
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make"], cwd=tree.root, env=outside, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(TARGETS)


def test_every_program_of_the_makefile_is_installed(tree: Any) -> None:
    pinned = tree.text("requirements.lock")
    for program in set(re.findall(r"\$\(BIN\)/([a-z-]+)", tree.text("Makefile"))) - {"python", "pip", "chandlery"}:
        package = {"lint-imports": "import-linter"}.get(program, program)
        assert f"\n{package}==" in pinned, program


def test_no_target_names_an_index(tree: Any) -> None:
    assert re.findall(r"--(?:extra-)?index|--find-links|PIP_\w+|UV_\w+", tree.text("Makefile")) == []


def test_ci_runs_lint_and_test_without_input(tree: Any) -> None:
    text = tree.text(".ci/run")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in text
    calls = [line for line in text.splitlines() if line.startswith("make ")]
    assert calls == ["make -j2 lint .venv/warm < /dev/null", "make test < /dev/null"]
    assert text.rstrip().splitlines()[-1] == calls[-1]
    assert os.access(tree.root / ".ci" / "run", os.X_OK)


def test_hooks_are_local_and_run_what_lint_runs(tree: Any) -> None:
    repos = yaml.safe_load(tree.text(".pre-commit-config.yaml"))["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    programs = [hook["entry"].split()[0] for hook in repos[0]["hooks"]]
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", tree.text("Makefile"), re.MULTILINE)
    assert lint is not None
    assert programs == [line.split()[0].replace("@$(BIN)", ".venv/bin") for line in lint[1].splitlines()]
