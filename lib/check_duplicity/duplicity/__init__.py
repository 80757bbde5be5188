"""What do duplicity's files and words mean? Pure; all that a new version of duplicity changes."""
