# SPDX-License-Identifier: GPL-2.0
"""Devices that encrypt, as the other leg of a connection through a tunnel, or below
it: WireGuard, the xfrm interface, VTI. What comes out of the far end is compared; and
what the wire shows must be encrypted, whatever happens (harness/secret.py)."""
from harness import net, wireguard
from harness.engine import ANY, case, special
from harness.flow import Do, down, up
from harness.secret import NETS, PINGERS
from .kinds_other import MACS
from .streams import SIZE, tcp

MAKE = {"wireguard": "type wireguard", "xfrm": "type xfrm dev {dev} if_id 7",
        "vti": "type vti local {here} remote {there} key 7", "vti6": "type vti6 local {here} remote {there} key 7"}
KEY = {"xfrm": "if_id 7", "vti": "mark 7", "vti6": "mark 7"}
NULL = "auth digest_null '' enc ecb(cipher_null) ''"
STATE = "xfrm state add src {src} dst {dst} proto esp spi {spi} reqid 7 mode tunnel %s flag af-unspec {key}" % NULL
POLICY = "xfrm policy add src {all} dst {all} dir {dir} {key} tmpl src {src} dst {dst} proto esp reqid 7 mode tunnel"
SPI = {True: "0x201", False: "0x202"}       # of what the router sends, and of what it gets


def ends(kind, port):
    """Addresses of the router and the far end on the wire below."""
    prefix = NETS[port][3 if kind == "vti6" else 2]
    return prefix + "1", prefix + "2"


def ipsec(kind, here, there, router):
    """States and policies of one end; without a cipher, so that it is quick."""
    for src, dst in ((here, there), (there, here)):
        out = src == here
        yield STATE.format(src=src, dst=dst, spi=SPI[out == router], key=KEY[kind])
        for dir_ in ("out",) if out else ("in", "fwd"):
            for all_ in ("0.0.0.0/0", "::/0"):
                yield POLICY.format(all=all_, dir=dir_, src=src, dst=dst, key=KEY[kind])
    if not router:
        yield "route add ::/0 dev over"


def end(kind, name, dev, macs, here, there, router, mtu):
    six = ":" in here
    lines = ("%saddr add %s dev %s" % ("-6 " * (six and router), here + ("/64" if six else "/24"), dev) + " nodad" * six,
             "neigh add %s lladdr %s dev %s nud permanent" % (there, macs[1], dev),
             "link add %s %s" % (name, MAKE[kind].format(dev=dev, here=here, there=there)),
             "link set %s addrgenmode none mtu %d up" % (name, mtu))
    return lines + (tuple(ipsec(kind, here, there, router)) if kind != "wireguard" else ())


def lan(family):
    if family == 6:
        return ("-6 addr del 2001:db8:1::1/64 dev lan0", "-6 addr add 2001:db8:1::1/64 dev over0 nodad") + lan(4)
    return ("addr del 10.1.0.1/24 dev lan0", "addr add 10.1.0.1/24 dev over0")


def underlay(family):
    return ("addr del 192.0.2.1/24 dev und0", "addr add 192.0.2.1/24 dev over0",
            "route replace 203.0.113.0/24 via 192.0.2.2 dev over0")


def world(kind, port, family=4, mtu=1500):
    dev, far = NETS[port][:2]
    here, there = ends(kind, port)
    setup = end(kind, "over0", dev, MACS[dev], here, there, True, mtu) + (lan if port == "client" else underlay)(family)
    return dict(needs=kind, und_mtu=1700, tun_mtu=1480, secret=(port, kind), setup=setup, kind="sit" if family == 6 else "ipip",
                dual=True if kind == "vti6" else None,
                ports={port: end(kind, "over", far, MACS[dev][::-1], there, here, False, mtu)})


def refused(kind):
    """What the xfrm interface has decrypted stays marked as that."""
    return "ipsec" if kind == "xfrm" else None


def cases(name, kind, port, family=4):
    which = dict(world=world(kind, port, family), family=family, refused=refused(kind))
    slow = {"client": "up", "far": "down"}[port] if refused(kind) else ""

    def add(what, send, **how):
        ways = [p.way for p in send if p.way != slow]
        how = {**dict(fast=dict(encap=ways.count("up"), decap=ways.count("down"))), **how}
        case("other %s: %s" % (name, what), send, **which, **how)

    add("both ways", [f(size=n) for n in (0, 1, 32, 900) for f in (up, down)], tags=("quick",))
    add("tcp", [up(), down(), up(), down()], proto="tcp")
    add("ECN and ttl", [up(tos=1), down(o_tos=3, tos=2), up(ttl=2), down(ttl=2)])
    add("ttl 1", [up(ttl=1), down(ttl=1)], fast=0)
    add("largest", [up(full=1480, df=True), down(full=1480, df=True)])
    add("too large", [up(full=1481, df=True), up(full=1481)], fast=0)
    add("wrong checksum", [up(l4_csum="bad"), down(l4_csum="bad")], fast=ANY)


def stream(kind):
    """As many packets at once as will come, merged and split as usual."""
    wanted = dict(world(kind, "client", mtu=1400), lan_mtu=1500, und_mtu=1500)

    @special("other LAN in %s: tcp stream both ways" % kind, tags=("stream",))
    def _(sentinel, args):
        if not net.knows(kind):
            return "this guest does not know " + kind
        return tcp(sentinel, args, wanted, share=0.4 if refused(kind) else 0.9, size=SIZE // 3)


for _kind in MAKE:
    cases("LAN in " + _kind, _kind, "client")
    cases("LAN in %s, IPv6" % _kind, _kind, "client", 6)
    cases("underlay in " + _kind, _kind, "far")
    stream(_kind)


def change(kind, port, name, what, send=None, path=("client", "far"), proto="udp", family=4, **how):
    """Whatever is taken away, the fast path has to notice with the next packet."""
    case("other change of %s, %s: %s" % (kind, port, name), [up(), down()] + [Do(what)] * bool(what) + (send or [up(hold=1), down(hold=1)] * 2),
         fast=ANY, proto=proto, path=path, family=family, refused=refused(kind),
         world=dict(world(kind, port, family), id="%s %s" % (kind, name), **how))


def peer_goes(bed, flow):
    bed.below.remove_peer()


def device_goes(bed, flow):
    bed.below.down()


def peer_narrows(bed, flow):
    """The peer may have nothing but the address that pings come from."""
    wireguard.narrow("over0", "far", PINGERS[bed.below.wire.name][0] + "/32")


def state_goes(kind, port, out):
    src, dst = ends(kind, port) if out else ends(kind, port)[::-1]
    return "ip xfrm state delete src %s dst %s proto esp spi %s %s" % (src, dst, SPI[out], KEY[kind].replace("if_id 7", ""))


# The device's errors are for who sent the packet, not for the address that it got here.
NAT = ("post oifname { tun0, over0 } masquerade",)
BACK = ("far", "client")

for _port in NETS:
    change("wireguard", _port, "peer goes", peer_goes)
    change("wireguard", _port, "peer loses its addresses", peer_narrows, proto="tcp")
    change("wireguard", _port, "device goes down", device_goes)
    for _kind in KEY:
        change(_kind, _port, "state goes, out", state_goes(_kind, _port, True), proto="tcp")
        change(_kind, _port, "state goes, in", state_goes(_kind, _port, False))
        change(_kind, _port, "policies go", "ip xfrm policy flush")
        change(_kind, _port, "policy blocks", "ip xfrm policy update dir out src 0.0.0.0/0 dst 0.0.0.0/0 %s action block" % KEY[_kind])
        change(_kind, _port, "device goes down", device_goes)
        change(_kind, _port, "no room", None, [f(full=n, df=df) for n in (1400, 1430, 1460, 1475) for f in (up, down) for df in (True, False)],
               lan_mtu=1500, und_mtu=1500)
change("wireguard", "client", "peer loses its addresses, NAT", peer_narrows, nat=NAT)
change("wireguard", "client", "peer loses its addresses, NAT, opened there", peer_narrows, nat=NAT, path=BACK)
change("wireguard", "client", "peer loses its addresses, IPv6, NAT, opened there", peer_narrows, nat=NAT, path=BACK, family=6)
for _kind in KEY:
    change(_kind, "client", "state goes, NAT, opened there", state_goes(_kind, "client", True), nat=NAT, path=BACK)
    change(_kind, "client", "no room, NAT, opened there", None, [f(full=n, df=True) for n in (1400, 1430, 1460, 1475) for f in (up, down)],
           nat=NAT, path=BACK, lan_mtu=1500, und_mtu=1500)
