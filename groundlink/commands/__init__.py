"""The subcommands of ``groundlink``."""
