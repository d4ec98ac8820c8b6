"""Formats in which others hand in reports: bytes to objects. No database, no HTTP."""
