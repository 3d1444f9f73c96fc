"""The command line: `chandlery COMMAND`. One module per command.

Exit status: 0 done, 1 defect, 2 settings or arguments, 3 not found, 4 source, 5 database, 6 audit, 7 research,
8 limit breached. It starts Dagster as a child process and the API by name; it imports neither.
"""

from chandlery.cli.app import main

__all__ = ["main"]
