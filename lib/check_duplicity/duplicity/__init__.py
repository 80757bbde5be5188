"""The meaning of duplicity's files and messages. Pure; only this changes with a new duplicity."""
