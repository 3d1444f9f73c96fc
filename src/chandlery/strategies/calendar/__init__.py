"""Calendar: strategies that trade on the date alone. One strategy per file, found by the registry."""
