# SPDX-License-Identifier: GPL-2.0
"""Every module in this directory adds its cases to harness.engine.CASES."""
from . import ipip_header, ipip_size, ipip_frame, ipip_tcp, ipip_nat, ipip_change  # noqa: F401
