"""What survives a power loss: SQLite and object files."""
