"""The append-only, hash-chained log. Everything that views or changes something sensitive goes through it."""
