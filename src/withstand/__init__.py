"""Withstand tells a team whether their HTTP API withstands load and attack."""

from importlib.metadata import version

__version__ = version("withstand")
