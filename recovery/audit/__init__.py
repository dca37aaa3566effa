"""Looking back at what was decided: made again from the archive, and held to be fair."""
