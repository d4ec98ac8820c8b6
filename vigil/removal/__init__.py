"""Removal: providers, notices, reminders, provider answers, rechecks and the board."""
