"""Learning from what another agent did."""
