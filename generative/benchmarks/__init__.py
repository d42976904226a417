"""Speed of training beside pythae's, and beside the loop that everybody writes."""
