# SPDX-License-Identifier: GPL-2.0
"""Every module in this directory adds its cases to harness.engine.CASES."""
from . import ipip  # noqa: F401
