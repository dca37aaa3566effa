"""Promised times: when a remedy is due, what is said before it is late, what is added for that."""
