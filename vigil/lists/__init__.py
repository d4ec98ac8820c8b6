"""The verified list: entries, assessments, and the feed that everything else reads."""
