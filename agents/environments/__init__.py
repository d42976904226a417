"""The door to environments: recipes, one way of stepping, spaces as rows and indices."""
