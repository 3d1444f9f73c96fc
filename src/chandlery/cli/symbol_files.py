"""Files of symbols: one a line, with listing dates if they are known."""

from pathlib import Path

from chandlery.cli.instants import parse_day
from chandlery.errors import ConfigError, InvalidInput
from chandlery.steps.instruments import Wanted
from chandlery.store.universe import InstrumentFacts


def read_symbol_file(path: Path) -> list[Wanted]:
    """Return the symbols of a file whose lines are `SYMBOL[,LISTED_ON[,DELISTED_ON]]`; `#` begins a comment.

    Raises:
        ConfigError: the file cannot be read.
        InvalidInput: a line is something else; the message gives its number.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Symbols were to be read from {path}: {error}. Name a text file you may read.") from error
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return [_wanted(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1) if line]


def _wanted(line: str, place: str) -> Wanted:
    symbol, *dates = (part.strip() for part in line.split(","))
    if len(dates) > 2:
        raise InvalidInput(f"{place} was {line!r}; a line is SYMBOL[,LISTED_ON[,DELISTED_ON]].")
    days = [parse_day(text or None, place) for text in (*dates, "", "")][:2]
    return Wanted(symbol, InstrumentFacts(listed_on=days[0], delisted_on=days[1]))
