"""The one loop that trains: an actor, its experience, segments, evaluations, the run folder."""
