"""Volume: strategies that follow the volume behind a move. One strategy per file, found by the registry."""
