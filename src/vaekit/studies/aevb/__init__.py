"""Auto-Encoding Variational Bayes, again: its figures, and what becomes of its claims."""
