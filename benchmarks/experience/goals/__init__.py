"""The goals, grouped by what they look at. Each function takes a Rig and gives back goals."""
