"""Formats of a referral package: bytes to objects and back, no database."""
