"""The progress line of an ingest: windows done, rows by the second, the time left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Display

from chandlery.steps.bars import Progress


@contextmanager
def shown(title: str) -> Iterator[Callable[[Progress], None]]:
    """Yield what an ingest tells its progress to; it is drawn on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn())
    with Display(*columns, console=Console(stderr=True)) as display:
        task = display.add_task(title, total=None, note="planning")

        def update(progress: Progress) -> None:
            display.update(task, total=progress.total, completed=progress.done, note=progress.text)

        yield update
