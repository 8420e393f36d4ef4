"""What must hold before anything is published: the rules of the warehouse, and what the user expects."""
