"""Whether a backup can be read back."""
