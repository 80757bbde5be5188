"""Read a shell script, or a crontab's command, without running it."""
