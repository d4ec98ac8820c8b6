"""Matching: pictures decoded in a sandbox, an index over the published entries, look-ups that say which list they used."""
