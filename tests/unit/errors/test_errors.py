"""The tree of errors: complete, documented, and with one truth about retries and exit statuses."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chandlery import errors
from chandlery.errors import ChandleryError


def descendants(error: type[ChandleryError]) -> Iterator[type[ChandleryError]]:
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from descendants(child)


EVERY = list(descendants(ChandleryError))


def test_docstring_shows_the_whole_tree() -> None:
    drawn = (errors.__doc__ or "").split("```")[1]
    assert sorted(re.findall(r"[A-Z]\w+", drawn)) == sorted(error.__name__ for error in [ChandleryError, *EVERY])


@pytest.mark.parametrize("error", EVERY, ids=lambda error: error.__name__)
def test_error_is_documented_and_has_a_word_of_its_own(error: type[ChandleryError]) -> None:
    assert error.__doc__
    assert re.fullmatch(r"[a-z_]+", error.code)
    assert [other for other in EVERY if other.code == error.code] == [error]


def test_only_what_can_heal_by_itself_is_retried() -> None:
    assert {error.__name__ for error in EVERY if error.retryable} == {
        "RateLimited",
        "Unavailable",
        "Conflict",
        "DatabaseDown",
    }


def test_exit_status_is_that_of_the_branch_the_command_line_documents() -> None:
    branches = {
        2: {"ConfigError", "BadTape", "InvalidInput"},
        3: {"NotFound"},
        4: {"SourceError", "RateLimited", "Unavailable", "NotEntitled", "BadPayload"},
        5: {"StoreError", "Conflict", "NotMigrated", "DatabaseDown"},
        6: {"QualityError", "Blocked", "WrongState"},
        7: {"ResearchError", "UnknownStrategy", "BadParameters", "LookAhead", "NotExportable", "EmptySpace"}
        | {"StudyRunning", "StudyEnded", "Fenced", "ExportExpired"},
        8: {"LimitBreached"},
    }
    assert {error.__name__: error.exit_code for error in EVERY} == {
        name: status for status, names in branches.items() for name in names
    }
    words = "0 done, 1 defect, 2 settings or arguments, 3 not found, 4 source, 5 database, 6 audit, 7 research"
    command_line = Path(errors.__file__).parent / "cli" / "__init__.py"
    assert f"Exit status: {words},\n8 limit breached." in command_line.read_text()


def test_message_is_the_text_it_was_raised_with() -> None:
    assert str(errors.NotFound("AAPL is absent.")) == "AAPL is absent."
