# SPDX-License-Identifier: GPL-2.0
"""What belongs to no tunnel is soon not looked at any more. What is to be fast has no
part in that, even if it comes to the same port."""
from harness.engine import case
from harness.flow import down, up

from .around_flips import QUIET

# Some of them take the place of one before, which is judged then. No UDP: that could be FOU in FOU.
OWN = [down(dst="10.9.0.1", hold=1)] * 100

for _kind in ("fou-ipip", "gue-gre"):
    case("strangers: the router's own packets in %s" % _kind, [up(), down()] + OWN + [up(), down(), down(), down()],
         world=dict(kind=_kind, nft=QUIET), proto="tcp", fast=6)
