"""The shape of the code: names, sizes, docstrings, and what stands where."""

import ast
import io
import re
import statistics
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

OURS = ("src", "orchestration")
FILE_CAP, FILE_MEDIAN, FUNCTION_CAP = 500, 120, 40
NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
NOTHING_NAMES = {"utils", "util", "common", "helpers", "services", "managers", "core", "misc", "lib"}

LONG_FUNCTIONS = {
    "src/chandlery/backtest/kernels/simulator.py:simulate": "one compiled loop; its state would be 12 arguments",
}
"""The exceptions, each with its reason. Migrations are exempt as a whole: they are written once and never changed."""

_SQL = re.compile(
    r"\s*(select\s.+\sfrom\s|insert\s+into\s|update\s+[\w.\"]+\s+set\s|delete\s+from\s|with\s+\w+\s+as\s*\("
    r"|create\s+(or\s+replace\s+)?(temp\s+)?(table|view|schema|role|database|index|extension)\s"
    r"|(alter|drop)\s+(table|view|role|schema)\s|grant\s.+\sto\s|truncate\s|lock\s+table\s)",
    re.IGNORECASE | re.DOTALL,
)


def docstring_of(node: ast.AST) -> ast.Constant | None:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    match node.body[:1]:
        case [ast.Expr(value=ast.Constant(value=str()) as text)]:
            return text
        case _:
            return None


def code_lines(source: str) -> set[int]:
    """Return the numbers of the lines that hold code, neither blank nor comment alone."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {line for token in tokens if token.type not in NOT_CODE for line in range(token.start[0], token.end[0] + 1)}


def function_lengths(source: str) -> Iterator[tuple[str, int]]:
    """Yield name and code lines of every function, docstring not counted."""
    code = code_lines(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            own = code & set(range(node.lineno, (node.end_lineno or 0) + 1))
            text = docstring_of(node)
            yield node.name, len(own - (set(range(text.lineno, (text.end_lineno or 0) + 1)) if text else set()))


def statements_in(source: str) -> Iterator[str]:
    """Yield the string constants that are SQL; f-strings with `x` for what is filled in, docstrings left out."""
    module = ast.parse(source)
    skipped = {id(text) for node in ast.walk(module) if (text := docstring_of(node)) is not None}
    for node in ast.walk(module):
        text = ""
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
            skipped |= {id(part) for part in node.values}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            text = node.value
        if _SQL.match(text):
            yield text


def prints_in(source: str) -> int:
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return sum(isinstance(function, ast.Name) and function.id == "print" for function in calls)


def bare_ignores_in(source: str) -> int:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return sum(bool(re.search(r"#\s*(type:\s*ignore(?!\[)|noqa(?!: [A-Z]))", comment)) for comment in comments)


def test_no_python_file_is_longer_than_the_cap(tree: Any) -> None:
    paths = tree.python(*OURS, "tests", "docs", "benchmarks")
    assert [(str(path), n) for path in paths if (n := len(tree.text(path).splitlines())) > FILE_CAP] == []


def test_the_median_file_is_short(tree: Any) -> None:
    assert statistics.median(len(tree.text(path).splitlines()) for path in tree.python(*OURS)) <= FILE_MEDIAN


def test_no_function_is_longer_than_the_cap(tree: Any) -> None:
    found = {
        f"{path.as_posix()}:{name}": length
        for path in tree.python(*OURS)
        if path.parent.parts[-2:] != ("migrations", "versions")
        for name, length in function_lengths(tree.text(path))
        if length > FUNCTION_CAP
    }
    assert {name: length for name, length in found.items() if name not in LONG_FUNCTIONS} == {}
    assert set(LONG_FUNCTIONS) <= set(found), "an exception that is no longer needed"


def test_nothing_is_named_after_nothing(tree: Any) -> None:
    words = {(part, path) for path in tree.files for part in (*path.parts[:-1], path.stem)}
    assert [(word, str(path)) for word, path in words if word in NOTHING_NAMES] == []


def test_every_package_says_what_belongs_into_it(tree: Any) -> None:
    packages = [path for path in tree.python(*OURS) if path.name == "__init__.py"]
    assert packages
    assert [str(path) for path in packages if docstring_of(ast.parse(tree.text(path))) is None] == []


def test_every_folder_of_ours_is_a_package(tree: Any) -> None:
    paths = tree.python(*OURS)
    folders = {path.parent for path in paths} - {Path("src")}
    assert sorted(str(folder) for folder in folders if folder / "__init__.py" not in paths) == []


def test_tests_are_no_packages(tree: Any) -> None:
    assert [str(path) for path in tree.python("tests") if path.name == "__init__.py"] == []


def test_sql_stands_in_the_store_and_in_dbt_only(tree: Any) -> None:
    elsewhere = [path for path in tree.python(*OURS) if path.parts[:3] != ("src", "chandlery", "store")]
    assert [(str(path), text) for path in elsewhere for text in statements_in(tree.text(path))] == []


def test_the_dbt_project_holds_no_python(tree: Any) -> None:
    assert tree.python("dbt_project") == ()


def test_nothing_prints(tree: Any) -> None:
    assert [str(path) for path in tree.python(*OURS) if prints_in(tree.text(path))] == []


def test_every_exception_for_a_linter_names_its_code(tree: Any) -> None:
    assert [str(path) for path in tree.files if path.suffix == ".py" and bare_ignores_in(tree.text(path))] == []


def test_future_annotations_stay_out_of_orchestration(tree: Any) -> None:
    # Dagster reads the annotations; as text they raise DagsterInvalidDefinitionError.
    assert [str(path) for path in tree.python("orchestration") if "import annotations" in tree.text(path)] == []


@pytest.mark.parametrize(
    "source",
    [
        "q = 'select a from b'",
        'q = """\n    SELECT a,\n        b\n    FROM c\n"""',
        "q = f'delete from {table} where x'",
        "q = 'insert into a.b values (1)'",
        "q = f'update {table} set a = 1'",
        "q = 'create table x (a int)'",
        "q = 'with a as (select 1)'",
    ],
)
def test_a_statement_is_recognised(source: str) -> None:
    assert len(list(statements_in(source))) == 1


@pytest.mark.parametrize(
    "source",
    ['"""Select rows from the store."""', "m = 'Choose a symbol from the list.'", "m = 'Update the settings.'"],
)
def test_prose_is_not_taken_for_a_statement(source: str) -> None:
    assert list(statements_in(source)) == []


def test_a_function_is_measured_without_docstring_comments_and_blank_lines() -> None:
    source = 'def f(\n    a,\n):\n    """One.\n\n    Two.\n    """\n    # why\n\n    return a\n'
    assert list(function_lengths(source)) == [("f", 4)]


def test_a_print_and_a_bare_ignore_are_recognised() -> None:
    assert prints_in("print('x')\nconsole.print('y')\n") == 1
    ignore = "# type" + ": ignore"
    assert [bare_ignores_in(f"a = 1  {text}\n") for text in (ignore, ignore + "[attr-defined]")] == [1, 0]
