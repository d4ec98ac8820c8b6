"""Formats this room speaks: the notice mail and its XARF part. Bytes and objects only, no database, no network."""
