# SPDX-License-Identifier: GPL-2.0
"""Out of a tunnel of one kind and into one of another."""
from harness import engine
from harness.engine import ANY
from harness.flow import down, up
from harness.kinds import KINDS

PAIRS = (("ipip", "gre"), ("gre-all", "ipip"), ("sit", "ip6ip6"), ("ip6ip6", "gre"), ("ipip6", "ipip"), ("gre", "ip6gre-all"),
         ("ip6gre-key", "gre-key"), ("ip6tnl-any", "sit-any"), ("ip6ip6-limit", "ip6gre-limit"), ("fou-gre", "gue-gre"),
         ("gre", "fou-ipip"), ("gue-sit", "ip6ip6"), ("ip6gre", "sit"), ("gre-seq", "ip6gre-seq"))


def mixed(one, two, family):
    def add(name, send, **how):
        engine.case("mixed %s to %s, IPv%d: %s" % (one, two, family, name), send, family=family, path=("far", "far2"),
                    world=dict(kind=one, kind1=two), **how)

    add("both ways", [f(size=n) for n in (0, 1, 32, 900) for f in (up, down)], tags=("quick",))
    add("tcp", [up(), down(), up(), down()], proto="tcp")
    add("ECN", [up(tos=t) for t in range(4)] + [down(tos=t) for t in range(4)])
    add("ECN, outer", [f(tos=i, o_tos=o) for f in (up, down) for o in range(4) for i in range(1, 4)], fast=ANY)
    add("ttl 2", [up(ttl=2), down(ttl=2)])
    add("ttl 1", [up(ttl=1), down(ttl=1)], slow="ttl")
    add("sizes", [f(full=n, df=True) for f, from_ in ((up, one), (down, two)) for n in (1360, 1400, 1440, 1460, 1480)
                  if n <= KINDS[from_].mtu()], fast=ANY)      # larger ones do not fit through the wire
    add("fragments", [up(size=100, id=3, piece=(0, 48)), up(size=100, id=3, piece=(48, None)), up()], fast=ANY)


for _one, _two in PAIRS:
    for _family in sorted(set(KINDS[_one].inner) & set(KINDS[_two].inner)):
        mixed(_one, _two, _family)
