"""Prose that a machine can hold against the code: commands, links, pages, decisions, changelog."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer
import yaml

from chandlery.api.app import create_app
from chandlery.cli.app import app
from chandlery.errors import ChandleryError
from chandlery.settings import Settings
from chandlery.strategies import from_json, to_json

HOW_TO = (
    "add-a-strategy",
    "backtest-a-csv",
    "add-a-quality-rule",
    "add-a-dbt-model",
    "add-an-endpoint",
    "add-a-source",
    "add-a-setting",
    "add-a-table",
    "add-an-asset",
    "add-a-measure",
    "run-on-a-server",
    "ingest-from-the-vendor",
    "use-your-own-tape",
)
_FENCE = re.compile(r"^ *```(?:console|sh)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_SHELL_END = {"|", "||", "&&", ";", ">", "<", "&"}
COMMAND_LINE = typer.main.get_command(app)


def prose(tree: Any) -> Iterator[tuple[Path, str]]:
    """Yield every markdown file that is written by hand."""
    for path in tree.files:
        if path.suffix == ".md" and path.parts[:2] != ("docs", "reference"):
            yield path, tree.text(path)


def commands_in(text: str) -> Iterator[list[str]]:
    """Yield the words of every command in the shell blocks, up to a pipe or a redirection; `$(...)` looked into."""
    for block in _FENCE.findall(text):
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            inner = re.findall(r"\$\(([^)]*)\)", line)
            for part in [re.sub(r"\$\([^)]*\)", "x", line), *inner]:
                lexer = shlex.shlex(part, posix=True, punctuation_chars=True)
                lexer.whitespace_split = True
                words: list[str] = []
                for word in [*lexer, ";"]:
                    if word in _SHELL_END:
                        if words:
                            yield words
                        words = []
                    elif words or not re.match(r"\w+=", word):
                        words.append(word)


def parse(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Parse a command line as the program would, running nothing.

    Raises:
        click.ClickException: for an unknown command, option or value, and for a missing argument.
    """
    with command.make_context(command.name, list(words), parent=parent) as context:
        rest = [*context._protected_args, *context.args]
        if isinstance(command, click.Group) and rest:
            name, inner, rest = command.resolve_command(context, rest)
            assert inner is not None, name
            parse(inner, rest, context)


def test_every_chandlery_command_shown_parses(tree: Any) -> None:
    found = [(str(path), words) for path, text in prose(tree) for words in commands_in(text)]
    ours = [(path, words[1:]) for path, words in found if Path(words[0]).name == "chandlery"]
    assert len(ours) > 20
    for path, words in ours:
        try:
            parse(COMMAND_LINE, words)
        except (click.ClickException, ChandleryError) as error:
            pytest.fail(f"{path}: chandlery {' '.join(words)}: {error}")


def test_every_make_target_shown_exists(tree: Any) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*#-- ", tree.text("Makefile"), re.MULTILINE))
    shown = {w for _, text in prose(tree) for words in commands_in(text) if words[0] == "make" for w in words[1:]}
    shown |= {word for _, text in prose(tree) for word in re.findall(r"`make ([a-z-]+)`", text)}
    assert {"demo", "test"} <= shown <= targets


def test_every_path_asked_of_the_api_exists(tree: Any) -> None:
    paths = create_app(Settings(_env_file=None)).openapi()["paths"]
    patterns = [re.compile(re.sub(r"\{\w+\}", r"[^/]+", path)) for path in [*paths, "/docs", "/openapi.json"]]
    asked = {
        url for _, text in prose(tree) for url in re.findall(r"(?:127\.0\.0\.1|localhost):8000(/[^?\s\"'`]*)", text)
    }
    assert asked
    assert [url for url in asked if not any(pattern.fullmatch(url) for pattern in patterns)] == []


def test_every_file_a_page_points_at_exists(tree: Any) -> None:
    broken = [
        (str(path), link)
        for path, text in prose(tree)
        for link in _LINK.findall(text)
        if "://" not in link and not link.startswith("#")
        if not (tree.root / path.parent / link.split("#")[0]).exists()
    ]
    has_pictures = any(path.parent == Path("docs/img") for path in tree.files)
    assert [(path, link) for path, link in broken if has_pictures or "img/" not in link] == []


def test_every_path_named_in_code_exists(tree: Any) -> None:
    folder = r"(?:src|orchestration|dbt_project|tests|deploy|docs|examples|benchmarks)/[\w./-]+"
    named = {(str(path), name) for path, text in prose(tree) for name in re.findall(f"`({folder})`", text)}
    words = {(str(path), word) for path, text in prose(tree) for words in commands_in(text) for word in words}
    named |= {(path, word) for path, word in words if re.fullmatch(folder, word)}
    assert len(named) > 40
    assert sorted((path, name) for path, name in named if not (tree.root / name).exists()) == []


def test_every_variable_named_is_a_setting(tree: Any) -> None:
    known = set(re.findall(r"^#(\w+)=", tree.text(".env.example"), re.MULTILINE))
    known |= {"CHANDLERY_DAGSTER_URL", "CHANDLERY_DBT_USER", "CHANDLERY_DBT_PASSWORD"}
    named = {(str(path), name) for path, text in prose(tree) for name in re.findall(r"\bCHANDLERY_\w*[A-Z]\b", text)}
    assert named
    assert sorted((path, name) for path, name in named if name not in known) == []


@pytest.mark.parametrize("name", HOW_TO)
def test_every_kind_of_change_has_its_page(tree: Any, name: str) -> None:
    text = tree.text(f"docs/how-to/{name}.md")
    assert text.startswith("# ")
    assert len(_FENCE.findall(text)) >= 1, "a how-to shows a command"


def test_the_file_of_the_how_to_is_a_strategy_with_orders(tree: Any) -> None:
    (source,) = re.findall(r"```python\n(.*?)```", tree.text("docs/how-to/add-a-strategy.md"), re.DOTALL)
    found: dict[str, Any] = {}
    exec(compile(source, "add-a-strategy.md", "exec"), found)  # noqa: S102 - the reader's file, as he would write it
    strategy = found["STRATEGY"]
    assert from_json(to_json(strategy)) == strategy
    assert {"long_order", "long_bracket"} <= set(strategy.rules)
    assert f"`{strategy.name}.py` in `src/chandlery/strategies/{strategy.family}`" in tree.text(
        "docs/how-to/add-a-strategy.md"
    )


def test_decisions_are_numbered_without_gaps_and_complete(tree: Any) -> None:
    pages = sorted(path for path in tree.files if path.parent == Path("docs/decisions") and path.name != "index.md")
    assert len(pages) >= 10
    assert [int(path.name[:4]) for path in pages] == list(range(1, len(pages) + 1))
    for path in pages:
        text = tree.text(path)
        assert text.startswith(f"# {path.name[:4]}: "), path
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["Context", "Choice", "Cost", "How to undo"], path


def test_the_site_lists_every_page_once(tree: Any) -> None:
    def pages(node: Any) -> Iterator[str]:
        for value in node if isinstance(node, list) else node.values() if isinstance(node, dict) else ():
            yield from [value] if isinstance(value, str) else pages(value)

    listed = sorted(pages(yaml.safe_load(tree.text("mkdocs.yml"))["nav"]))
    assert listed == sorted(
        str(p.relative_to("docs")) for p in tree.files if p.parts[0] == "docs" and p.suffix == ".md"
    )


def test_the_changelog_leads_with_the_version_under_way(tree: Any) -> None:
    sections = re.findall(r"^## (.+)$", tree.text("CHANGELOG.md"), re.MULTILINE)
    assert re.fullmatch(r"\[?Unreleased\]?|\[?\d+\.\d+\.\d+\]? - (Unreleased|\d{4}-\d\d-\d\d)", sections[0])
    version = re.search(r'^version = "(.+)"', tree.text("pyproject.toml"), re.MULTILINE)
    assert version is not None
    assert any(version[1] in section or "Unreleased" in section for section in sections)


def test_the_readme_is_short_and_begins_with_the_two_commands(tree: Any) -> None:
    text = tree.text("README.md")
    assert len(text.splitlines()) <= 120
    assert [words for words in commands_in(text) if words][:2] == [["make", "demo"], ["make", "test"]]
    assert text.index("make demo") < text.index("\n## ")


def test_a_wrong_command_is_refused() -> None:
    for words in (["demoo"], ["candles", "AAPL"], ["up", "--deatch"], ["candles", "AAPL", "1h", "--basis", "week"]):
        with pytest.raises(click.ClickException):
            parse(COMMAND_LINE, words)


def test_commands_are_read_out_of_a_block() -> None:
    lines = ("X=1 chandlery up -d && chandlery candles A \\", "  1h | head", "K=$(chandlery keys create me)")
    text = "\n".join(("```sh", *lines, "```"))
    found = [words for words in commands_in(text) if words[0] == "chandlery"]
    assert found == [
        ["chandlery", "up", "-d"],
        ["chandlery", "candles", "A", "1h"],
        ["chandlery", "keys", "create", "me"],
    ]
