"""`python -m chandlery`."""

from chandlery.cli import main

main()
