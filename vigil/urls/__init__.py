"""URL maps: one an origin. A door that is not in the map of its origin does not exist there."""
