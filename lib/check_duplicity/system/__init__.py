"""Who this process is, what it may keep and look at, and how it ends."""
