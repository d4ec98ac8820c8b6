"""What every HTTP door shares: base templates, style sheet, headers, error pages, language. Imported by doors only."""
