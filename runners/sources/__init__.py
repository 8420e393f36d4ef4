"""Where data enter."""
