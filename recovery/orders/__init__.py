"""The order system of a business, behind one interface."""
