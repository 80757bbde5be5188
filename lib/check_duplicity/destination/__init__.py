"""What lies at the destination, and whether it is good."""
