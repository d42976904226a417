"""The house style of figures: colours, themes, limits, and the files they are saved in."""
