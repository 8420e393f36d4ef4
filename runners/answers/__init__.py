"""What the warehouse and the kernel say of a subject, a day, two states: they write nothing."""
