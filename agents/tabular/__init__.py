"""Tables: planning on a model, temporal differences, prediction."""
