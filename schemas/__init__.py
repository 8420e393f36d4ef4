"""What is the data? Arrow schemas, one module per noun, and the definition language."""
