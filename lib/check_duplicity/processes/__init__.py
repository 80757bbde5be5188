"""What runs now, and whether it gets on."""
