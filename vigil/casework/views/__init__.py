"""The pages of the console: parse, permit, call, render."""
