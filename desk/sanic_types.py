"""Sanic's generic application type, spelled once."""

from types import SimpleNamespace

from sanic import Config, Sanic

App = Sanic[Config, SimpleNamespace]
