"""The road of a message: inbox, router, commands, outbox."""
