# SPDX-License-Identifier: GPL-2.0
"""What belongs to no tunnel is soon not looked at any more. What is to be fast has no
part in that, even if it comes to the same port."""
from harness.engine import case
from harness.flow import down, up

from .around_flips import QUIET, QUIET6

# Some of them take the place of one before, which is judged then. No UDP: that could be FOU in FOU.
OWN, OWN6 = ([down(dst=dst, hold=1)] * 100 for dst in ("10.9.0.1", "2001:db8:9::1"))
FAST = [up(), down(), down(), down()]

for _kind, _own in (("fou-ipip", OWN), ("gue-gre", OWN), ("ipip", OWN), ("gre-all", OWN), ("ipip6", OWN), ("ip6gre-limit", OWN),
                    ("sit", OWN6), ("ip6ip6-limit", OWN6), ("gre-key", OWN6), ("ip6gre", OWN6)):
    case("strangers: the router's own packets in %s" % _kind, [up(), down()] + _own + FAST + _own + FAST,
         world=dict(kind=_kind, nft=QUIET + QUIET6), proto="tcp", family=6 if _own is OWN6 else 4, fast=10)
