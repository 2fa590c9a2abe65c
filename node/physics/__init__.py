"""Where the node is and what its surroundings do to it. Pure: only sgp4 and the standard library."""
