"""Measures what the trained model hears: `make eval`, see docs/recognition.md."""
