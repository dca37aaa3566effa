"""Start and tooling of Huixin: environments, pages, model, supervisor, checks.

Everything here runs on a plain Python 3.11 or newer with its standard library only, because it
runs before any environment exists.
"""
