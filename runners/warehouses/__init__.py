"""Where data are published."""
