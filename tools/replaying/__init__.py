"""`make replay`: real posts go through the public room, and what came of it is written down."""
