"""What the last runs said."""
