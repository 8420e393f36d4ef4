"""The definition language: YAML with positions, read into typed, checked definitions."""
