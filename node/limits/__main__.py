"""``python -m node.limits`` is the ``orbitnode-governor`` command."""

from node.limits.main import main

if __name__ == "__main__":
    raise SystemExit(main())
