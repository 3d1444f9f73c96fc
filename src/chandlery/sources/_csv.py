"""CSV answers as the rows the same question would have had in JSON; paid plans send them on `Accept: text/csv`."""

import csv
from collections.abc import Mapping

Row = dict[str, object]

_NUMBERS = frozenset({"c", "h", "l", "n", "o", "t", "v", "vw", "split_from", "split_to", "cash_amount", "frequency"})
_FLAGS = frozenset({"active"})
_TRUTH: Mapping[str, bool] = {"true": True, "false": False}


def read_csv(content: bytes) -> list[Row]:
    """Return the rows; an empty field is null, and a number that is none stays text, so that it is found later.

    Only the vendor's number columns are read as numbers: `NAN` and `1E5` are possible tickers.

    Raises:
        ValueError: no UTF-8, no header, or a row with more or fewer fields than the header.
    """
    lines = csv.reader(content.decode("utf-8").splitlines(), strict=True)
    try:
        header = next(lines, None)
        if not header:
            raise ValueError("no header")
        return [_row(header, fields) for fields in lines if fields]
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _row(header: list[str], fields: list[str]) -> Row:
    return {name: _value(name, text) for name, text in zip(header, fields, strict=True)}


def _value(name: str, text: str) -> object:
    if text == "":
        return None
    if name in _FLAGS:
        return _TRUTH.get(text, text)
    return _number(text) if name in _NUMBERS else text


def _number(text: str) -> object:
    if text.isascii() and text.lstrip("-").isdigit():
        return int(text) if len(text) < len(str(2**62)) else float(text)
    try:
        return float(text)
    except ValueError:
        return text
