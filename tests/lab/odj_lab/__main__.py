# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m odj_lab VERB``."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    try:
        from odj_lab.cli import main
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        sys.exit(f"lab: {sys.executable} lacks the Python package {package}; ODJ_LAB_PYTHON may name another Python.")
    sys.exit(main(sys.argv[1:]))
