"""Public report, receipt, follow-up: what comes in from anybody, and the thread between a reporter and the readers."""
