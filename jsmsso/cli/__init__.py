"""The command line: one file per command group. Each reads options, calls a room below, returns a Result."""
