"""What a mission will be like: a freerun of the real core, summed up into a budget."""
