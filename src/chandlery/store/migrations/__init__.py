"""Alembic migrations of the schemas raw, ops and research; run by `chandlery.store.migrate`."""
