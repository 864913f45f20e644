# SPDX-License-Identifier: GPL-2.0
"""Names and addresses in the drawing on top of bed.py."""

LAN, FAR, FAR_MOVED, FAR2 = "10.1.0.1", "203.0.113.2", "203.0.113.77", "198.51.100.2"
UND0, UND1 = "192.0.2.1", "198.51.100.1"
LAN6, FAR6, FAR6_MOVED, FAR26 = "2001:db8:1::1", "2001:db8:c::2", "2001:db8:c::77", "2001:db8:b::2"
UND06, UND16 = "2001:db8:a::1", "2001:db8:b::1"
# What the router calls itself; 10.77.1.2, 10.1.0.100 and their like are for NAT.
OWN = [LAN, UND0, UND1, "10.9.0.1", "10.10.0.1", "10.77.1.2", "10.1.0.100",
       LAN6, UND06, UND16, "2001:db8:9::1", "2001:db8:10::1", "2001:db8:77::2", "2001:db8:1::100"]
ENDS = [UND0, UND1, UND06, UND16]       # tunnels start here


class Site:
    """A place that packets of a flow come from: which wire, which tunnel."""

    def __init__(self, wire, addrs, mac, router_mac, tun=None, outer=None):
        self.wire, self.addrs, self.mac = wire, addrs, mac
        self.addr = addrs[4]
        self.router_mac, self.tun = router_mac, tun
        self.outers = outer or {}       # family of the underlay: (far end, the router)
        self.outer = self.outers.get(4)


def _site(wire, four, six, n, tun=None, outer=None):
    return Site(wire, {4: four, 6: six}, "02:00:00:00:%02d:02" % n, "02:00:00:00:%02d:01" % n, tun, outer)


SITES = {
    "client": _site("client", "10.1.0.2", "2001:db8:1::2", 1),
    "far": _site("far", "10.2.0.2", "2001:db8:2::2", 2, "tun0", {4: (FAR, UND0), 6: (FAR6, UND06)}),
    "far2": _site("far2", "10.3.0.2", "2001:db8:3::2", 3, "tun1", {4: (FAR2, UND1), 6: (FAR26, UND16)}),
    "lan2": Site("client", {4: "10.4.0.2", 6: "2001:db8:4::2"}, "02:00:00:00:01:03", "02:00:00:00:01:01"),
    "plain": _site("far", "203.0.113.50", "2001:db8:c::50", 2),
}
OTHER_GATEWAY = "02:00:00:00:02:03"      # the second gateway on the underlay
_MAC = {"client": "02:00:00:00:01:02", "und0": "02:00:00:00:02:02", "und1": "02:00:00:00:03:02"}
NEIGHBOURS = (("10.1.0.2", _MAC["client"], "lan0"), ("10.1.0.3", "02:00:00:00:01:03", "lan0"),
              ("10.1.0.100", "02:00:00:00:01:64", "lan0"),
              ("192.0.2.2", _MAC["und0"], "und0"), ("192.0.2.3", OTHER_GATEWAY, "und0"),
              ("198.51.100.2", _MAC["und1"], "und1"))
NEIGHBOURS6 = (("2001:db8:1::2", _MAC["client"], "lan0"), ("2001:db8:1::3", "02:00:00:00:01:03", "lan0"),
               ("2001:db8:1::100", "02:00:00:00:01:64", "lan0"),
               ("2001:db8:a::2", _MAC["und0"], "und0"), ("2001:db8:a::3", OTHER_GATEWAY, "und0"),
               ("2001:db8:b::2", _MAC["und1"], "und1"))
