"""The public pages: read, call, answer."""
