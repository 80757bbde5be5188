"""All of it for a person: a picture, a verdict, and what to type."""
