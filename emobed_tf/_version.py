"""The version, for the package and whoever installs it."""

__version__ = "0.1.0"
