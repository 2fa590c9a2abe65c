"""``orbitnode-governor``, the one privileged program, which lowers limits and puts them back."""
