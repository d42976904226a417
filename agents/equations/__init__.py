"""The mathematics of acting and learning, as pure functions named by time."""
