"""Rows of the WeChat channel: contacts, what came in, what goes out, tokens, scenes, comments."""
