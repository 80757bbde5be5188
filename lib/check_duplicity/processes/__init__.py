"""What runs now, and whether it makes progress."""
