"""One module a subcommand, so that ``--help`` loads nothing heavy."""
