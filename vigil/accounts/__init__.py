"""Who works here: people, roles, agencies, clearance, sign-in, keys. The one place that decides who may do what."""
