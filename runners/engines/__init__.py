"""The runners that Beam offers, as options only."""
