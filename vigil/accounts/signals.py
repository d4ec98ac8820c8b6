"""Receivers: sign-ins, step-ups and changes of authenticators leave their trace."""
