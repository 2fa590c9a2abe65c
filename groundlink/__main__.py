"""``python -m groundlink``."""

import sys

from groundlink.cli import main

sys.exit(main())
