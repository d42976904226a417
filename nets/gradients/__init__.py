"""What follows slopes: optimisers, schedules, averages, hand-written back-propagation."""
