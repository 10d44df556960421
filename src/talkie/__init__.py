"""Talkie: a self-hosted speech server. Importing the package loads nothing but this version."""

__version__ = "0.1.0"
