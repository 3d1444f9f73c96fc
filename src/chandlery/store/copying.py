"""COPY in binary form, encoded by numpy: a frame of fixed-width columns becomes bytes without a row object.

Rows that lack the same optional columns have one layout, hence one structured array; a frame of bars has at most
four. 1 M bars encode in 0.15 s, the server takes 2 s to store them under a key (2026-11).
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt
import polars as pl

from chandlery.store.warehouse import Writer

_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_EPOCH_US = 946_684_800_000_000
"""Microseconds from 1970 to 2000, where PostgreSQL's timestamps begin."""
_CHUNK = 1 << 20

Constant = int | str


def copy_rows(
    connection: Writer,
    table: str,
    frame: pl.DataFrame,
    *,
    optional: Sequence[str] = (),
    constants: Mapping[str, Constant] | None = None,
) -> int:
    """Append a frame to a table inside the connection's transaction and return the number of rows.

    Args:
        connection: an open transaction.
        table: name as SQL writes it.
        frame: columns named as in the table, of type Float64, Int64, Int32, Datetime("us", "UTC").
        optional: columns that may hold nulls; in all others a null is an error of the server.
        constants: further columns with one value for all rows; int is written as int4.
    """
    fixed = dict(constants or {})
    names = ", ".join([*frame.columns, *fixed])
    driver = connection.connection.driver_connection
    if driver is None:
        raise TypeError
    with driver.cursor().copy(f"copy {table} ({names}) from stdin (format binary)") as stream:
        stream.write(_HEADER)
        for group, missing in _by_missing(frame, tuple(optional)):
            for part in _encoded(group, missing, fixed):
                stream.write(part)
        stream.write(_TRAILER)
    return frame.height


def _by_missing(frame: pl.DataFrame, optional: tuple[str, ...]) -> Iterator[tuple[pl.DataFrame, frozenset[str]]]:
    """Yield the rows that lack exactly the same columns, for every combination that occurs."""
    for lacks in product((False, True), repeat=len(optional)):
        tests = [pl.col(name).is_null() == lack for name, lack in zip(optional, lacks, strict=True)]
        group = frame.filter(*tests) if tests else frame
        if group.height:
            yield group, frozenset(name for name, lack in zip(optional, lacks, strict=True) if lack)


def _encoded(frame: pl.DataFrame, missing: frozenset[str], constants: Mapping[str, Constant]) -> Iterator[bytes]:
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    values: dict[str, int | bytes | npt.NDArray[np.float64 | np.int64 | np.int32]] = {
        "fields": len(frame.columns) + len(constants)
    }
    for name in frame.columns:
        layout.append((f"{name} length", ">i4"))
        values[f"{name} length"] = -1
        if name not in missing:
            column = _numbers(frame[name])
            layout.append((name, column.dtype.newbyteorder(">").str))
            values |= {f"{name} length": column.dtype.itemsize, name: column}
    for name, constant in constants.items():
        coded: int | bytes = constant.encode() if isinstance(constant, str) else constant
        kind = f"S{len(coded)}" if isinstance(coded, bytes) else ">i4"
        layout += [(f"{name} length", ">i4"), (name, kind)]
        values |= {f"{name} length": len(coded) if isinstance(coded, bytes) else 4, name: coded}
    rows = np.empty(frame.height, dtype=layout)
    for name, value in values.items():
        rows[name] = value
    height = max(1, _CHUNK // rows.itemsize)
    for first in range(0, rows.size, height):
        yield rows[first : first + height].tobytes()


def _numbers(column: pl.Series) -> npt.NDArray[np.float64 | np.int64 | np.int32]:
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.epoch("us").to_numpy() - _EPOCH_US
    return column.to_numpy()
