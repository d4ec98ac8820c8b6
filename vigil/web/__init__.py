"""What every HTTP door shares: base templates, one style sheet, headers, error pages, language. Imported by doors only."""
