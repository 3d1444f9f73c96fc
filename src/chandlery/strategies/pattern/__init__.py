"""Pattern: strategies that read the shape of the last few bars. One strategy per file, found by the registry."""
