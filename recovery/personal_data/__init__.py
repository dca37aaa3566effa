"""Personal data: what is kept for how long, what an erasure leaves, what customers get to read."""
