"""Policy gradients: REINFORCE, A2C and PPO, and what they share."""
