"""The command `ganpo-cloud`."""
