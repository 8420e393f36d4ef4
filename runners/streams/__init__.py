"""Runs without an end: cuts, what one hands to the next, and what is told meanwhile."""
