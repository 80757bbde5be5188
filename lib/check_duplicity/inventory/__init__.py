"""Whether every backup job of this host is monitored, and still started."""
