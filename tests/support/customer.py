"""A customer as a program, see `tools.customer`."""

from tools.customer import Customer, Frame, Page

__all__ = ["Customer", "Frame", "Page"]
