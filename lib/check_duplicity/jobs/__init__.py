"""Find the backup jobs of this host, and the facts about them."""
