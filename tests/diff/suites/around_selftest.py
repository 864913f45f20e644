# SPDX-License-Identifier: GPL-2.0
"""The scenarios of the kernel's own selftest for flowtables (nft_flowtable.sh), written
anew for this module: real TCP both ways at once, devices of different MTU, DSCP set on
the way, NAT, tunnels, a bridge, VLANs, PPPoE and ESP. The bytes arrive as they were sent, and
all but the first packets are fast where they can be."""
import functools
import os

from harness import bed as b
from harness import net
from harness.engine import special
from harness.layers import parse
from harness.pppoe import Session
from harness.sites import SITES

from . import around_link as link
from . import around_pppoe as pppoe
from .streams import Streams, transfer

SIZE = 2 << 20
PLAIN, INSIDE = "203.0.113.2", SITES["far"].addrs[4]
# What each side has to know to speak ESP without a cipher; the far end is 192.0.2.2.
ESP = "ip xfrm state add src {0} dst {1} proto esp spi 0x{2} reqid {2} mode tunnel auth digest_null '' enc 'ecb(cipher_null)' ''"
POLICY = "ip xfrm policy add dir {3} src {4} dst {5} tmpl src {0} dst {1} proto esp reqid {2} mode tunnel"
THERE, BACK = ("192.0.2.1", "192.0.2.2", 1), ("192.0.2.2", "192.0.2.1", 2)
COUNT = "table ip dscp {\n chain in {\n type filter hook prerouting priority -300;\n" \
        " tcp dport 5001 ip length > 1000 ip dscp %s counter name hit\n }\n counter hit { }\n}\n"


class Ends(Streams):
    """In VLANs and PPPoE if the world says so, with other MTUs than 1500, and answers that need no tunnel."""

    def __init__(self, sentinel, args, world, mtus):
        self.mtus, self.sessions = dict(zip(("c0", "f0"), mtus)), []
        super().__init__(sentinel, args, world)

    def host(self, ns, dev, lines):
        lines = list(lines) + ["route replace 10.1.0.0/16 via 192.0.2.1 dev f0"] * (ns == "f" and self.bed.world["plain"])
        with self.bed.ns[ns]:
            top = self.layers(dev, {"c": "client", "f": "far"}[ns])
        super().host(ns, dev, [line.replace("dev " + dev, "dev " + top) for line in lines] +
                     ["link set %s mtu %d" % (dev, self.mtus[dev])])

    def layers(self, dev, side):
        """The host's own device for what its wire is in, on top of @dev. Another MTU of that would end a session."""
        tags, session = parse(self.bed.world["ports"].get(side, ""))
        net.run("ip", "link", "set", dev, "mtu", str(self.mtus[dev]))
        for kind, number in tags:
            net.run("ip", "link", "add", "link", dev, "name", "%s.%d" % (dev, number), "up", "type", "vlan",
                    "proto", {0x8100: "802.1Q", 0x88a8: "802.1ad"}[kind], "id", str(number))
            dev = "%s.%d" % (dev, number)
        if session is None:
            return dev
        self.sessions.append(Session("ppp0", dev, SITES[side].router_mac, session).open())
        net.run("ip", "link", "set", "ppp0", "mtu", "1492", "up")
        return "ppp0"

    def close(self):
        for session in self.sessions:
            session.close()
        super().close()


def esp(s):
    """Tunnel mode between the router and the far end, for all that is between the client and it."""
    nets = "10.1.0.0/16", PLAIN + "/32"
    for ns, out, back, mine, its in (("r", THERE, BACK, *nets), ("f", BACK, THERE, *nets[::-1])):
        with s.bed.ns[ns]:
            for line in (ESP.format(*THERE), ESP.format(*BACK), POLICY.format(*out, "out", mine, its),
                         POLICY.format(*back, "in", its, mine), *[POLICY.format(*back, "fwd", its, mine)] * (ns == "r")):
                net.shell(line)


def blind(s):
    """Neither end looks for the path's MTU: the router has to cut."""
    for ns in "cf":
        with s.bed.ns[ns]:
            net.sysctl("net.ipv4.ip_no_pmtu_disc", 1)


def scenario(name, server, world=None, mtus=(1500, 1500), share=0.9, before=None, dscp=None, port=5001, quick=False,
             during=()):
    @special("selftest: " + name, tags=("stream",) + ("quick",) * quick)
    def _(sentinel, args):
        if world and not net.knows(world.get("needs", "veth")):
            return "this guest does not know " + world["needs"]
        s = Ends(sentinel, args, dict(world or {}, plain=server == PLAIN or bool((world or {}).get("plain"))), mtus)
        try:
            if before:
                before(s)
            if dscp:
                with s.bed.ns["f"]:
                    net.run("nft", "-f", "-", stdin=COUNT % dscp)
            a, z = s.connect(dial=(server, port))
            if share:
                s.prime(a, z)
            counts = s.count()
            out = transfer(a, z, os.urandom(SIZE), [(part, functools.partial(what, s)) for part, what in during]) or s.too_slow(counts, share)
            return out or (seen(s) if dscp else [])
        finally:
            s.close()


def new_session(side):
    """The router's end of it goes, its device too, and comes again."""
    def run(s):
        with s.bed.ns["r"]:
            pppoe.again(side)(s.bed, None)
    return run


def seen(s):
    """Did segments arrive with that DSCP?"""
    with s.bed.ns["f"]:
        hits = net.run("nft", "list", "counter", "ip", "dscp", "hit")
    return ["no packet arrived with the DSCP"] if "packets 0 " in hits else []


def chain(hook, dev=""):
    family = "netdev" if dev else "ip"
    return "table %s mangle {\n chain marks {\n type filter hook %s%s priority 0;\n ip dscp set cs3\n }\n}\n" % (
        family, hook, " device " + dev if dev else "")


MASQUERADE = ["post oifname und0 masquerade"]
FORWARD = ["pre ip daddr 10.1.0.1 tcp dport 1666 dnat to %s:5001" % PLAIN]

scenario("plain forwarding", PLAIN, quick=True)
scenario("the server's link is smaller", PLAIN, dict(und_mtu=1300), mtus=(1500, 1300))
scenario("the client's link is smaller", PLAIN, dict(lan_mtu=1280), mtus=(1280, 1500))
scenario("a smaller link that nobody asks for", PLAIN, dict(und_mtu=1300), mtus=(1500, 1300), before=blind, share=0)
scenario("DSCP set at ingress", PLAIN, dict(nft=chain("ingress", "lan0")), dscp="cs3")
scenario("DSCP set at egress", PLAIN, dict(nft=chain("egress", "und0")), dscp="cs3")
scenario("DSCP set in the forward chain", PLAIN, dict(nft=chain("forward")), dscp="cs3")
scenario("DSCP set in postrouting", PLAIN, dict(nft=chain("postrouting")), dscp="cs3")
scenario("masquerade", PLAIN, dict(nat=MASQUERADE), quick=True)
scenario("port forward", "10.1.0.1", dict(nat=FORWARD, plain=True), port=1666)
scenario("masquerade and port forward, smaller link", "10.1.0.1", dict(nat=MASQUERADE + FORWARD, plain=True, und_mtu=1300),
         mtus=(1500, 1300), port=1666)
scenario("IPIP", INSIDE)
scenario("IPIP, DSCP set in the forward chain", INSIDE, dict(nft=chain("forward")), dscp="cs3")
scenario("IPIP in a VLAN", INSIDE, dict(setup=link.vlan("und0"), ports=dict(far="q5")))
scenario("IPIP in QinQ", INSIDE, dict(setup=link.qinq("und0"), ports=dict(far=link.QINQ)), mtus=(1500, 1504))
scenario("IPIP in PPPoE", INSIDE, pppoe.world(pppoe.UNDERLAY))
scenario("IPIP in PPPoE, sessions begin anew", INSIDE, pppoe.world(pppoe.BOTH), share=0.5,
         during=((0.2, new_session("far")), (0.5, new_session("client")), (0.8, new_session("far"))))
scenario("IPIP in PPPoE on a VLAN, LAN in PPPoE", INSIDE, pppoe.world(pppoe.BOTH, "a VLAN"))
scenario("PPPoE on both sides", PLAIN, pppoe.world(pppoe.BOTH))
scenario("IPIP, LAN in a bridge", INSIDE, dict(setup=link.bridge("lan0")))
scenario("LAN in a bridge", PLAIN, dict(setup=link.bridge("lan0")))
scenario("LAN in a VLAN", PLAIN, dict(setup=link.vlan("lan0"), ports=dict(client="q5")))
scenario("LAN in a bridge over a VLAN", PLAIN, dict(link.WORLDS["bridge in a VLAN"]))
scenario("ESP in tunnel mode", PLAIN, before=esp, share=0)
