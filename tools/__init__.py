"""Programs for people who work on Vigil; no wheel contains them."""
