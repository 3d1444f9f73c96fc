"""Real day bars from an installed data package, in the column layout of WIKI tapes.

The package publishes raw prices and one adjusted close. From the ratio of the two, splits and dividends come
back exactly, because WIKI's rule is known: going back in time the factor is multiplied at each ex-date by
`1 / split_ratio` and by `close / (close + ex_dividend)`, with the close of the ex-date itself.
"""

from importlib.resources import as_file, files

import polars as pl

from chandlery.errors import ConfigError

_PACKAGE = "bokeh_sampledata"
_DATA = ("_data", "stocks.csv.gz")
_COLUMNS = ("symbol", "session", "open", "high", "low", "close", "volume", "adj_close")
_FLOATS = ("open", "high", "low", "close", "volume", "adj_close")

SPLIT_RATIOS = (2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0, 1.5, 4.0 / 3.0, 1.25, 0.5, 1.0 / 3.0, 0.25, 0.2, 0.1)
_RATIO_TOLERANCE = 0.01
_LARGEST_MOVE = 0.3
# Twelve decimals of adj_close leave noise below 1e-10; the smallest dividend, 8 cents on 30 dollars, is 3e-3.
_SMALLEST_STEP = 1e-6


def read_stocks() -> pl.DataFrame:
    """Return real raw day bars of AAPL, FB, GOOG, IBM, MSFT up to 2013-03-01, ascending by symbol and session.

    Columns: `symbol`, `session`, OHLC and `volume` as traded (Float64), `ex_dividend` (cash per share on the
    ex-date, else 0; derived), `split_ratio` (new per old share on the ex-date, else 1; derived), `adj_close`
    (as published). No nulls.

    Raises:
        ConfigError: if the data package is not installed or holds another file.
    """
    try:
        with as_file(files(_PACKAGE).joinpath(*_DATA)) as path:
            published = pl.read_csv(path, try_parse_dates=True)
    except (ModuleNotFoundError, FileNotFoundError) as error:
        advice = "install chandlery's dependencies again, or name a tape folder in CHANDLERY_PROVIDER__TAPE."
        raise ConfigError(f"The bundled tape needs {'/'.join((_PACKAGE, *_DATA))} and found none; {advice}") from error
    days = published.rename(dict(zip(published.columns, _COLUMNS, strict=True)))
    return derive_actions(days.with_columns(pl.col(_FLOATS).cast(pl.Float64)).sort("symbol", "session"))


def derive_actions(days: pl.DataFrame) -> pl.DataFrame:
    """Return WIKI day bars with `ex_dividend` and `split_ratio` recovered from `adj_close`.

    The step of the factor `adj_close / close` from one session to the next is a split if it is within 1 % of
    a usual ratio and the price opened within 30 % of where that split puts it; a dividend of 11 % (MSFT
    2004-11-15, 3.08 dollars) is therefore none. What a split leaves of the step is the dividend, to 1e-4.

    Args:
        days: `symbol`, `session`, `open`, `close`, `adj_close` and others, ascending by symbol and session.
    """
    factor = pl.col("adj_close") / pl.col("close")
    step = (factor / factor.shift(1).over("symbol")).fill_null(1.0)
    moved = (pl.col("open") / pl.col("close").shift(1).over("symbol")).fill_null(1.0)
    ratio = pl.lit(1.0)
    for candidate in SPLIT_RATIOS:
        is_step = (pl.col("step") / candidate - 1.0).abs() < _RATIO_TOLERANCE
        is_move = (pl.col("moved") * candidate - 1.0).abs() < _LARGEST_MOVE
        ratio = pl.when(is_step & is_move).then(candidate).otherwise(ratio)
    rest = pl.col("step") / pl.col("split_ratio") - 1.0
    dividend = pl.when(rest > _SMALLEST_STEP).then((pl.col("close") * rest).round(4)).otherwise(0.0)
    return (
        days.with_columns(step=step, moved=moved)
        .with_columns(split_ratio=ratio)
        .with_columns(ex_dividend=dividend)
        .select(*_COLUMNS[:-1], "ex_dividend", "split_ratio", "adj_close")
    )
