"""Where cases, conversations and promises are kept: SQLite by default, PostgreSQL by setting."""
