"""``python -m node`` is the ``orbitnode`` command."""

from node.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
