"""Measurements across rooms; each prints its figures, the machine and the command that made them."""
