"""Vigil: the open system that a country's child-protection hotline runs on."""

__version__ = "0.1.0"
