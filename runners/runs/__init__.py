"""What a run is: planned, pinned, begun, retried, and told of."""
