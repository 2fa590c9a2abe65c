"""Where the node is and what its surroundings do to it: pure, on sgp4 and the standard library."""
