"""What the bot says and wants done on one message: pure decisions over case and message."""
