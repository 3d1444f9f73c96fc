"""Assets, one module per stage. A body opens its resources, calls one step and returns the receipt as metadata."""
