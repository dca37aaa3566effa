"""The queue: who comes first, who takes it, how long it takes."""
