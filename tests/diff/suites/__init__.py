# SPDX-License-Identifier: GPL-2.0
"""Every module in this directory adds its cases to harness.engine.CASES."""
from . import ipip_header, ipip_size, ipip_frame, ipip_tcp, ipip_nat, ipip_gso  # noqa: F401
from . import ipip_change, streams  # noqa: F401
from . import kinds_header, kinds_frame, kinds_gre, kinds_gro, kinds_size, kinds_tcp  # noqa: F401
from . import kinds_change, kinds_mixed, kinds_other, kinds_secret, kinds_refused, kinds_external, kinds_nbma  # noqa: F401
from . import around_link, around_pppoe, around_ipsec, around_rules, around_flips, around_plain, around_routes  # noqa: F401
from . import around_strangers, around_beside, around_selftest, around_traits  # noqa: F401
