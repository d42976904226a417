"""Networks of agents: encoders, memories, and fast forms of plain MLPs."""
