"""Debian's Chromium, see `tools.chromium`."""

from tools.chromium import FLAGS, chromium_path, launched

__all__ = ["FLAGS", "chromium_path", "launched"]
