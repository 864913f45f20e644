# SPDX-License-Identifier: GPL-2.0
"""What the module leaves to the slow path for good: nothing changes, and it says why."""
from harness.engine import ANY, case
from harness.flow import Do, Wait, down, up
from harness.sites import FAR, UND0


def made(link, *routes):
    """tun0 made again in another way, IPv4 inside."""
    return ("link del tun0", "link add tun0 type " + link, "link set tun0 up", "addr add 10.9.0.1/30 dev tun0") + routes


BY_TC = ("modprobe -qa sch_ingress cls_matchall act_tunnel_key; tc qdisc add dev tun0 clsact; "
         "tc filter add dev tun0 egress matchall action tunnel_key set src_ip %s dst_ip %s id 0" % (UND0, FAR))


def lwtunnel(encap):
    return "route add 10.2.0.0/16 encap %s dev tun0" % encap


WORLDS = {
    "multipoint GRE": ("nbma", dict(kind="gre", setup=made(
        "gre local " + UND0, "route add 10.2.0.0/16 via 10.9.0.2 dev tun0",
        "neigh add 10.9.0.2 lladdr %s dev tun0 nud permanent" % FAR))),
    "route with a header, IPIP with its own": ("route", dict(setup=made(
        "ipip local %s remote %s" % (UND0, FAR), lwtunnel("ip id 0 src %s dst %s" % (UND0, FAR))))),
}


def cases(name, reason, world):
    def add(what, send, **how):
        case("refused %s: %s" % (name, what), send, world=world, refused=reason, fast=ANY if reason == "route" else 0, **how)

    add("both ways", [f(size=n) for n in (0, 32, 900) for f in (up, down)], tags=("quick",))
    add("tcp", [up(), down(), up(), down()], proto="tcp")
    add("ECN and ttl", [up(tos=1), down(o_tos=3, tos=2), up(ttl=2), down(ttl=2), up(ttl=1)])


for _name, (_reason, _world) in WORLDS.items():
    cases(_name, _reason, _world)

# Metadata that is not the route's, with and without one that has some.
for _name, _kind, _route in (("none", "ipip", "route add 10.2.0.0/16 dev tun0"), ("the route's too", "gre", lwtunnel(
        "ip id 0 src %s dst 203.0.113.77" % UND0))):
    case("refused metadata by tc, %s" % _name, [Do(BY_TC)] + [up(), down()] * 3 + [Wait(0.2)] + [up(), down()] * 3, refused="metadata",
         fast=(0, 6), warm=False, world=dict(kind=_kind, id="by tc", setup=made(_kind + " external", _route)), tags=("quick",))

case("refused ESP", [f(proto=50, l4=b"\x13\x89\x13\x8a" + bytes(range(60))) for f in (up, down)] * 3, refused="proto", fast=0)
