"""Tasks: what is predicted."""
