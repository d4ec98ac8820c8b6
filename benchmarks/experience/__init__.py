"""How the public's door measures up: every goal as value, threshold and pass (`make experience`)."""
