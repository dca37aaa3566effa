"""Helps staff find their words: ready replies, suggestions, warnings. Staff decide."""
