"""Asset checks, one module per stage; their names are sentences that hold when all is well."""
