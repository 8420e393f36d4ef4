"""What workers staged becomes what the warehouse says, all of it or nothing."""
