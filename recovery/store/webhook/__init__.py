"""The generic channel: who writes there, what came in, which streams go out, what is sent."""
