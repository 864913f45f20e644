# SPDX-License-Identifier: GPL-2.0
"""PPPoE on either side of the router, on bare Ethernet and in VLANs. The other side of a
session is a wire that puts its frames in one, see harness/layers.py."""
import time

from harness import layers, net
from harness.engine import ANY, case
from harness.flow import Do, Wait, down, up
from harness.kinds import KINDS
from harness.pppoe import Session
from harness.sites import SITES

from .around_link import stacked

MTU, NUMBER = 1492, 9
SIDES = {"client": ("lan0", "ppp0", SITES["client"].mac), "far": ("und0", "ppp1", SITES["far"].mac)}
# What there is to move to the session's device, for an IPv4 router and for one that speaks IPv6 too.
MOVES = {"client": (("addr del 10.1.0.1/24 dev lan0", "addr add 10.1.0.1 peer 10.1.0.2 dev ppp0"),
                    ("addr del 2001:db8:1::1/64 dev lan0", "addr add 2001:db8:1::1/64 dev ppp0 nodad")),
         "far": (("addr del 192.0.2.1/24 dev und0", "addr add 192.0.2.1 peer 192.0.2.2 dev ppp1",
                  "route replace 203.0.113.0/24 dev ppp1"),
                 ("addr del 2001:db8:a::1/64 dev und0", "addr add 2001:db8:a::1/64 dev ppp1 nodad",
                  "route replace 2001:db8:c::/64 dev ppp1"))}
# (name of the device that the session is on, `ip` lines that make it, what the wire says to that)
BELOW = {"": lambda dev: (dev, (), ""),
         "a VLAN": lambda dev: (dev + ".5", ("link add link %s name %s.5 up type vlan id 5" % (dev, dev),), "q5 "),
         "QinQ": lambda dev: (dev + ".75", stacked(dev, "802.1ad"), "ad7 q5 ")}


def session(side, below=""):
    dev, ppp, peer = SIDES[side]
    return Session(ppp, BELOW[below](dev)[0], peer, NUMBER)


def setup(side, below="", six=False):
    four, also = MOVES[side]
    ppp = SIDES[side][1]
    return BELOW[below](SIDES[side][0])[1] + (session(side, below), "link set %s addrgenmode none" % ppp,
                                              "link set %s mtu %d up" % (ppp, MTU)) + four + also * six


def world(sides, below="", kind="ipip", **more):
    six = kind != "ipip"
    return dict(dict(needs="PPPoE", kind=kind, setup=sum((setup(side, below, six) for side in sides), ()),
                     ports={side: "%sppp%d" % (BELOW[below](SIDES[side][0])[2], NUMBER) for side in sides}), **more)


LAN, UNDERLAY, BOTH = ("client",), ("far",), ("client", "far")
NAMES = {LAN: "LAN in PPPoE", UNDERLAY: "underlay in PPPoE", BOTH: "both in PPPoE"}


def cases(sides, below="", kind="ipip", family=4, quick=False):
    """Sizes are those of packets that fit into the session on both sides."""
    title = NAMES[sides] + (" on " + below if below else "") + (", %s %d" % (kind, family) if kind != "ipip" else "")
    size, here = KINDS[kind].mtu(MTU if "far" in sides else 1500), world(sides, below, kind)

    def add(what, send, **how):
        case("link %s: %s" % (title, what), send, world=here, family=family, tags=("quick",) if quick else (), **how)

    add("both ways", [up(), down(), up(size=1000), down(size=1000)])
    add("tcp", [up(), down(), up(), down()], proto="tcp")
    add("ECN and ttl", [up(tos=1), down(o_tos=3, tos=2), up(ttl=2), down(ttl=2)])
    add("ttl 1", [up(ttl=1), down(ttl=1)], slow="ttl")
    add("largest", [up(full=size, df=True), down(full=size, df=True), up(full=size)])
    add("too large", [up(full=size + 1, df=True), up(full=size + 1)], slow="mtu")
    add("padding", [up(size=1, pad_to=90), down(size=1, pad_to=120)])
    add("other host's MAC", [up(dmac="02:00:00:00:0e:0e"), down(dmac="02:00:00:00:0e:0e")], fast=0)


for _sides in NAMES:
    cases(_sides, quick=_sides == BOTH)
    cases(_sides, below="a VLAN")
cases(BOTH, below="QinQ")
for _family in (4, 6):
    cases(LAN, kind="gre", family=_family)
    cases(BOTH, kind="ip6gre", family=_family, quick=_family == 6)
cases(UNDERLAY, kind="sit", family=6)
cases(BOTH, below="a VLAN", kind="ip6ip6", family=6)

# The LAN's session is what is too small: its underlay and its tunnel take more.
for _family, _kind in ((4, "ipip"), (6, "sit")):
    _world = world(LAN, kind=_kind, und_mtu=2000)
    for _way, _what in (((down,), "out of the tunnel"), ((up, down), "both ways")):
        case("link LAN in PPPoE, IPv%d: largest, %s" % (_family, _what), [f(full=MTU, df=df) for f in _way for df in (True, False)],
             world=_world, family=_family)
    case("link LAN in PPPoE, IPv%d: too large" % _family, [down(full=MTU + 1, df=True), down(full=MTU + 1), down(full=1980, df=True)],
         world=_world, family=_family, slow="mtu")

case("link plain in PPPoE: both ways", [up(), down(), up(full=MTU, df=True), down(full=MTU, df=True)], path=("client", "plain"),
     world=world(BOTH, plain=True))
case("link plain in PPPoE: too large", [up(full=MTU + 1, df=True), down(full=MTU + 1), down(full=MTU + 1, df=True)],
     path=("client", "plain"), world=world(BOTH, plain=True), slow="mtu")


# ---- a session ends while packets go on

def hang_up(dev):
    """The daemon has gone, and with it the device."""
    return lambda bed, flow: bed.sessions[dev].close()


def told(side):
    """The other side says that it is over (PADT); the device stays."""
    def run(bed, flow):
        dev, ppp, peer = SIDES[side]
        bed.wires[side].send(layers.terminate(NUMBER, SITES[side].router_mac, peer))
        start = time.monotonic()
        while bed.sessions[ppp].connected():
            if time.monotonic() - start > 5:
                raise net.HarnessError("the session on %s does not end" % dev)
            time.sleep(0.01)
    return run


def again(side):
    """A new session with the same number, and all that was configured on its device."""
    def run(bed, flow):
        steps = setup(side)
        bed.sessions[SIDES[side][1]].close()
        for step in steps:
            if isinstance(step, Session):
                bed.sessions[step.dev] = step.open()
            elif not step.startswith("addr del"):
                net.run("ip", *step.split())
    return run


def drop_ipv4(dev):
    return lambda bed, flow: bed.sessions[dev].drop_ipv4()


AFTER = [up(hold=1), down(hold=1), up(hold=1), down(hold=1)]
for _sides, _side, _dev in ((LAN, "client", "ppp0"), (UNDERLAY, "far", "ppp1")):
    for _name, _what in (("device gone", hang_up(_dev)), ("ended by the other side", told(_side)), ("IPv4 not negotiated", drop_ipv4(_dev)),
                         ("device down", "ip link set %s down" % _dev), ("Ethernet below down", "ip link set %s down" % SIDES[_side][0]),
                         ("smaller MTU", "ip link set %s mtu 600" % _dev)):
        case("link change: %s, %s" % (NAMES[_sides], _name), [up(), down(), Do(_what)] + AFTER + [up(size=900, hold=1), down(size=900, hold=1)],
             world=world(_sides, id=_name), fast=ANY)
    case("link change: %s, a new session" % NAMES[_sides], [up(), down(), Do(again(_side))] + [up(), down()] * 2 +
         [Wait(0.2)] + [up(), down()] * 4, world=world(_sides, id="again"), fast=(6, 14))
