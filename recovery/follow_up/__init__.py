"""Asking afterwards how it went: when, how often, whom not, and what an answer means."""
