"""When things run: the only code that imports Dagster. No SQL, no frames, no HTTP: assets call `chandlery.steps`."""
