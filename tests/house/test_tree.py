"""The tree is portable and clean: no machine's paths, no registry's hosts, one licence, one lock file."""

import re
import tomllib
from typing import Any

import pytest

_DOT = r"\."
HOSTS = re.compile(
    "|".join(
        name + _DOT + suffix
        for name, suffix in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("npmjs", "(org|com)"),
            ("anaconda", "(org|com)"),
            ("jfrog", "io"),
            ("crates", "io"),
            ("proxy" + _DOT + "golang", "org"),
        )
    )
    + r"|https?://[^\s\"'`]+/simple\b"
)
MACHINE_PATHS = re.compile(r"(?<![\w.~}$-])/(work|root|home|Users|opt/pypi[\w-]*)/")
SOLO_FILES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", ".env.example", "mkdocs.yml", ".ci/run")


def test_no_file_names_a_package_registry(tree: Any) -> None:
    assert [(str(path), found[0]) for path, text in tree.texts() if (found := HOSTS.search(text))] == []


def test_no_file_names_a_path_of_some_machine(tree: Any) -> None:
    assert [(str(path), found[0]) for path, text in tree.texts() if (found := MACHINE_PATHS.search(text))] == []


@pytest.mark.parametrize("text", ["https://pypi" + ".org/x", "files.pythonhosted" + ".org", "http://a/b" + "/simple/"])
def test_a_registry_is_recognised(text: str) -> None:
    assert HOSTS.search(text)


@pytest.mark.parametrize("text", ["cd /" + "work/main", '"/' + "home/someone/x", "=/" + "root/.cache"])
def test_a_path_of_a_machine_is_recognised(text: str) -> None:
    assert MACHINE_PATHS.search(text)


@pytest.mark.parametrize("name", SOLO_FILES)
def test_the_tree_has_its_papers(tree: Any, name: str) -> None:
    assert tree.text(name).strip()


def test_the_licence_is_apache_2_in_full(tree: Any) -> None:
    licence = tree.text("LICENSE")
    assert tomllib.loads(tree.text("pyproject.toml"))["project"]["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in licence
    assert "9. Accepting Warranty or Additional Liability" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


def test_every_pinned_dependency_has_a_hash_and_no_address(tree: Any) -> None:
    lock = tree.text("requirements.lock")
    pins = [block for block in re.split(r"\n(?=\S)", lock) if not block.startswith("#")]
    assert len(pins) > 100
    assert [block.splitlines()[0] for block in pins if "--hash=sha256:" not in block] == []
    form = re.compile(r"[a-z0-9._-]+(\[[\w,-]+\])?==[^\n]+ \\\n    --hash=")
    assert [block.splitlines()[0] for block in pins if not form.match(block)] == []
    assert re.findall(r"^\s*--(?!hash)\S+|\w+://\S+", lock, re.MULTILINE) == []


def test_the_lock_covers_every_declared_dependency(tree: Any) -> None:
    project = tomllib.loads(tree.text("pyproject.toml"))
    wanted = [*project["project"]["dependencies"], *(item for g in project["dependency-groups"].values() for item in g)]
    names = {re.split(r"[\[<>=!~ ;]", item)[0].lower().replace("_", "-") for item in wanted}
    pinned = set(re.findall(r"^([a-z0-9.-]+)(?:\[[^\]]*\])?==", tree.text("requirements.lock"), re.MULTILINE))
    assert sorted(names - pinned) == []
