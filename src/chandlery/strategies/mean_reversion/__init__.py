"""Mean reversion: strategies that buy weakness and sell strength. One strategy per file, found by the registry."""
