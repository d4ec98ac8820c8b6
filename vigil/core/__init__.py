"""What every room stands on: errors, clock, ids, crypto, events, jobs, the embedded database. Knows no room."""
