"""What every command shares at a terminal: words, bars, choices, and how it is stopped."""
