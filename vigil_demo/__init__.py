"""The demonstration: a synthetic country, its web, its providers. No wheel contains this package."""
