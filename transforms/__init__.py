"""What happens to the data? One stage per file, in the order data meets them."""
