"""The answer of a check in other forms than Nagios': loaded only when one is asked for."""
