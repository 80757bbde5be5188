"""The whole state of a job for a person: a picture, a verdict, and what to type."""
