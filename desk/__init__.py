"""The desk: the only process that the outside meets. Channels, conversations, staff pages."""
