"""What a state, a limit, a finding and an answer are."""
