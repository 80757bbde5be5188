"""Which jobs there are, and what is known of them."""
