"""Rasa custom actions: thin; each reads the tracker and the case and asks `recovery`."""

from actions.turns import ActionOpen, ActionPrivate, ActionPublic

__all__ = ["ActionOpen", "ActionPrivate", "ActionPublic"]
