# SPDX-License-Identifier: GPL-2.0
"""What the module leaves to the slow path for good: nothing changes, and it says why."""
from harness.engine import ANY, case
from harness.flow import Do, Wait, down, up
from harness.sites import FAR, UND0


GROUP = "224.66.66.66"


def made(link, *routes):
    """tun0 made again in another way, IPv4 inside."""
    return ("link del tun0", "link add tun0 type " + link, "link set tun0 up", "addr add 10.9.0.1/30 dev tun0") + routes


BY_TC = ("modprobe -qa sch_ingress cls_matchall act_tunnel_key; tc qdisc add dev tun0 clsact; "
         "tc filter add dev tun0 egress matchall action tunnel_key set src_ip %s dst_ip %s id 0" % (UND0, FAR))


def lwtunnel(encap):
    return "route add 10.2.0.0/16 encap %s dev tun0" % encap


WORLDS = {
    "broadcast GRE": ("nbma", dict(kind="gre", needs="broadcast GRE", setup=("route add 224.0.0.0/4 dev und0",) + made(
        "gre local %s remote %s ttl 9" % (UND0, GROUP), "route add 10.2.0.0/16 via 10.9.0.2 dev tun0",
        "neigh add 10.9.0.2 lladdr %s dev tun0 nud permanent" % FAR)), dict(o_dst=GROUP, o_key=0xe0424242)),
    "route with a header, IPIP with its own": ("route", dict(setup=made(
        "ipip local %s remote %s" % (UND0, FAR), lwtunnel("ip id 0 src %s dst %s" % (UND0, FAR)))), {}),
}


def cases(name, reason, world, outer):
    """outer: fields of what comes out."""
    def add(what, send, **how):
        case("refused %s: %s" % (name, what), send, world=world, refused=reason, fast=ANY if reason == "route" else 0,
             base=dict(down=outer), **how)

    def back(**fields):
        return down(**{**outer, **fields})

    add("both ways", [f(size=n) for n in (0, 32, 900) for f in (up, back)], tags=("quick",))
    add("tcp", [up(), back(), up(), back()], proto="tcp")
    add("ECN and ttl", [up(tos=1), back(o_tos=3, tos=2), up(ttl=2), back(ttl=2), up(ttl=1)])


for _name, _how in WORLDS.items():
    cases(_name, *_how)

# Metadata that is not the route's, with and without one that has some.
for _name, _kind, _route in (("none", "ipip", "route add 10.2.0.0/16 dev tun0"), ("the route's too", "gre", lwtunnel(
        "ip id 0 src %s dst 203.0.113.77" % UND0))):
    case("refused metadata by tc, %s" % _name, [Do(BY_TC)] + [up(), down()] * 3 + [Wait(0.2)] + [up(), down()] * 3, refused="metadata",
         fast=(0, 6), warm=False, world=dict(kind=_kind, id="by tc", setup=made(_kind + " external", _route)), tags=("quick",))

case("refused ESP", [f(proto=50, l4=b"\x13\x89\x13\x8a" + bytes(range(60))) for f in (up, down)] * 3, refused="proto", fast=0)
