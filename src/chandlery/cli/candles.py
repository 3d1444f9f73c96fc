"""`chandlery candles SYMBOL TIMEFRAME`."""

from enum import StrEnum
from pathlib import Path

import typer

from chandlery.cli.frames import Form, check_form, write_frame
from chandlery.cli.instants import parse_day, parse_instant
from chandlery.market.adjust import Adjustment, DividendMethod
from chandlery.settings import load_settings
from chandlery.steps.candle_reads import Variant
from chandlery.steps.candles import CandleQuestion, find_candles
from chandlery.store.warehouse import open_warehouse


class BasisChoice(StrEnum):
    """What a series is built from."""

    AUTO = "auto"
    MINUTES = "minutes"
    DAY = "day"


class SessionChoice(StrEnum):
    """Which hours of listed instruments count."""

    REGULAR = "regular"
    EXTENDED = "extended"


class AlignmentChoice(StrEnum):
    """Where intraday buckets begin."""

    SESSION = "session"
    CLOCK = "clock"


def candles(
    symbol: str = typer.Argument(help="Symbol, for example AAPL or X:BTCUSD."),
    timeframe: str = typer.Argument(help="5m 15m 30m 1h 4h 1d 1w."),
    *,
    start: str | None = typer.Option(None, help="First instant, ISO date or time; no zone means UTC."),
    end: str | None = typer.Option(None, help="End, exclusive."),
    basis: BasisChoice = typer.Option(
        BasisChoice.AUTO,
        help="minutes: rolled up from minute bars. day: the source's own day bars (1d, 1w). auto: minutes, and day "
        "bars where a day or week has none; column basis says which.",
    ),
    session: SessionChoice = typer.Option(
        SessionChoice.REGULAR, help="regular: 09:30 to 16:00 New York. extended: 04:00 to 20:00, a series of its own."
    ),
    alignment: AlignmentChoice = typer.Option(
        AlignmentChoice.SESSION, help="session: 1h and 4h from the open. clock: on the hour, as the vendor aligns them."
    ),
    adjusted: Adjustment = typer.Option(Adjustment.NONE, help="Prices and volumes adjusted for splits, or for all."),
    dividends: DividendMethod | None = typer.Option(
        None, help="With --adjusted all: how a dividend counts; by default as its publisher does it."
    ),
    adjusted_to: str | None = typer.Option(None, help="Session left unadjusted; default: the newest known."),
    as_of: str | None = typer.Option(None, help="What was known at this instant, ISO time; no zone means UTC."),
    form: Form = typer.Option(Form.CSV, "--format", help="Output format; parquet needs --output."),
    output: Path | None = typer.Option(None, "--output", "-o", help="File to write instead of standard output."),
) -> None:
    """Print the candles of one symbol and timeframe.

    Without further options they are the published ones; every variant is rolled up from the stored bars.
    """
    check_form(form, output)
    variant = Variant(
        hours=session.value,
        alignment=alignment.value,
        adjusted=adjusted,
        dividends=dividends,
        adjusted_to=parse_day(adjusted_to, "--adjusted-to"),
        as_of=parse_instant(as_of, "--as-of"),
    )
    question = CandleQuestion(
        symbol, timeframe, basis.value, parse_instant(start, "--start"), parse_instant(end, "--end"), variant
    )
    write_frame(find_candles(open_warehouse(load_settings()), question), form, output)
