"""A shell script, or a crontab's command, is read without being run."""
