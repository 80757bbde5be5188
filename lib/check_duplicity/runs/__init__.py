"""Read the output of the last runs of each job, and judge it."""
