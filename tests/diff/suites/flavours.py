# SPDX-License-Identifier: GPL-2.0
"""A flavour is a kind of tunnel with a family inside it. The suites kinds_*.py
go through them; IPIP has suites of its own."""
import re

from harness import engine
from harness.kinds import KINDS
from harness.sites import SITES

# What a variation of a kind may make a difference to.
VARIATION = re.compile("header default: (both|tcp|encap ECN|encap DF|ttl|decap ECN|decap CE|one inner)|"
                       "header t.* inherit: (both|encap)|transit: |opened from far: udp|"
                       "frame (en|de)cap: (wrong udp|fragments$|outer (fragments$|length|options)|padding|cut|encapsulation)|"
                       "twin: (inner|outer source)|gre: |udp: |gue: |nbma: |size (default|underlay)|pmtu learned|"
                       "tcp: (data|close)|nat masquerade: (udp|tcp)|gso: |change|stream|mixed")

# A router of its own takes its time, above all in the debug guest: of variations these are the ones that have quick cases with more
# than one.
QUICK_CHANGES = ("ext-gre 4", "ext-ip6tnl 6", "gre-nbma 4", "ip6tnl-nbma 6")


class Flavour:
    def __init__(self, kind, label, family):
        self.kind, self.label, self.family = kind, label, family
        self.full = kind.base is None       # else a variation: fewer cases
        self.v6 = family == 6
        self.ip_size = 40 if self.v6 else 20
        self.outer_size = 40 if kind.under == 6 else 20

    def case(self, name, send, world=None, tags=(), **how):
        if not self.full and not VARIATION.match(name):
            return
        world = {"kind": self.kind.name, **(world or {})}
        if "id" in world:       # a router that is changed is nobody else's
            world["id"] = "%s, IPv%d" % (world["id"], self.family)
            if not self.full and self.label not in QUICK_CHANGES:
                tags = [tag for tag in tags if tag != "quick"]
        engine.case("%s %s" % (self.label, name), send, world=world, family=self.family, tags=tuple(tags), **how)

    def encap(self, **given):
        """What a route inside of tun0 has before its device."""
        far, router = SITES["far"].outers[self.kind.under]
        return self.kind.encap(router, far, given)

    def addr(self, site):
        return SITES[site].addrs[self.family]

    def inner(self, four, six):
        """What to say of the inner packet, by its family."""
        return six if self.v6 else four

    def under(self, four, six):
        """The same of the outer one."""
        return six if self.kind.under == 6 else four


FLAVOURS = [Flavour(kind, label, family) for kind in KINDS.values() if kind.name != "ipip"
            for label, family in kind.families]
