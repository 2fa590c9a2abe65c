"""The demo: a whole mission on one machine, with a real model over a real scene."""
