# SPDX-License-Identifier: GPL-2.0
"""Routes change all the time. Those of others cost a connection nothing; its own are
followed by its next packet."""
import socket
import struct

from harness import frames as fr
from harness import net
from harness import engine
from harness import flow as fl
from harness.engine import ANY, case, special
from harness.flow import Do, Wait, down, up

from .around_flips import QUIET, Flipped

ADD, DEL = 24, 25
BLACKHOLE, UNICAST = 6, 1


class Routes:
    """IPv4 and IPv6 routes, a message each."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.sock.bind((0, 0))

    def change(self, op, prefix, dev=None, via=None, kind=UNICAST, more=b""):
        addr, bits = prefix.split("/")
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        body = struct.pack("BBBBBBBBI", family, int(bits), 0, 0, 254, 4, 0 if via or kind != UNICAST or family == socket.AF_INET6 else 253,
                           kind, 0)
        for key, value in ((1, fr.addr(addr)), (4, dev and struct.pack("I", socket.if_nametoindex(dev))), (5, via and fr.addr(via))):
            if value:
                body += struct.pack("HH", 4 + len(value), key) + value
        body += more
        flags = 5 | (0x500 if op == ADD else 0)         # create, replace
        self.sock.send(struct.pack("IHHII", 16 + len(body), op, flags, 1, 0) + body)
        error = struct.unpack_from("i", self.sock.recv(4096), 16)[0]
        if error:
            raise net.HarnessError("route %s: error %d" % (prefix, error))

    def close(self):
        self.sock.close()


ELSEWHERE6 = [Do("ip route add 2001:db8:a0::/48 via 2001:db8:1::3"), up(), down(), Do("ip route add default dev lan0"), up(), down(),
              Do("ip route del 2001:db8:a0::/48"), down(), up(), Do("ip addr add 2001:db8:a1::1/64 dev und1 nodad"), up(), down()]
ELSEWHERE = [Do("ip route add 172.20.0.0/16 via 10.1.0.3"), up(), down(), Do("ip route add 172.21.0.0/16 dev lan0"), up(), down(),
             Do("ip route del 172.20.0.0/16"), down(), up(), Do("ip addr add 172.30.0.1/24 dev und1"), up(), down()]


def elsewhere(name, fast=None, world=None, changes=ELSEWHERE, **how):
    """All are fast; but conntrack looks at one of UDP two seconds after it began."""
    for proto, all_of_them in (("udp", (7, 8)), ("tcp", 8)):
        case("routes elsewhere: %s%s" % (name, ", tcp" * (proto == "tcp")), changes, fast=fast or all_of_them, proto=proto,
             world=dict(world or {}, id=name + proto), **how)


elsewhere("ipip", tags=("quick",))
elsewhere("masquerade", world=dict(nat=["post oifname tun0 masquerade"]))
elsewhere("port forward", world=dict(nat=["pre iifname lan0 meta l4proto { tcp, udp } th dport 80 dnat to 10.2.0.2:5001"]), dial=("10.1.0.100", 80))
elsewhere("tunnel to tunnel", path=("far", "far2"))
elsewhere("plain", path=("client", "plain"), world=dict(plain=True))
elsewhere("sit", world=dict(kind="sit"), family=6)
elsewhere("gre", world=dict(kind="gre"))
elsewhere("IPv6, ip6ip6", world=dict(kind="ip6ip6"), family=6, changes=ELSEWHERE6, tags=("quick",))
elsewhere("IPv6, ip6gre, IPv4 inside", world=dict(kind="ip6gre"), changes=ELSEWHERE6)
elsewhere("IPv6, sit", world=dict(kind="sit"), family=6, changes=ELSEWHERE6)
elsewhere("IPv6, plain", path=("client", "plain"), world=dict(kind="ip6ip6", plain=True), family=6, changes=ELSEWHERE6)
elsewhere("IPv6, NAT", world=dict(kind="ip6ip6", nat=["post oifname tun0 masquerade"]), family=6, changes=ELSEWHERE6)
elsewhere("rp_filter", world=dict(sysctl={"net.ipv4.conf.all.rp_filter": 1}))
# what cannot be asked for in the fast path costs a packet each way, or some
elsewhere("ip rule", fast=ANY, world=dict(setup=("rule add fwmark 99 table 99",)))
elsewhere("several next hops", fast=ANY, changes=[
    Do("ip route replace 203.0.113.0/24 nexthop via 192.0.2.2 dev und0 nexthop via 192.0.2.3 dev und0"), up(), down()] + ELSEWHERE)
elsewhere("no IPsec on a device", fast=ANY, world=dict(sysctl={"net.ipv4.conf.lan0.disable_policy": 1}))

case("routes: IPv6 route back to the sender goes, which a rule asks for", [up(), up(), Do("ip -6 route del 2001:db8:1::/64 dev lan0"), up(), up()],
     family=6, fast=2, world=dict(id="back", kind="sit", filter="fib saddr . iif oif missing drop"))

# Among several next hops those that answer are chosen from; they want a device with a carrier, which takes a moment.
def gates(six, by=""):
    client, gate = ("2001:db8:1::2/128", "2001:db8:1::%d") if six else ("10.1.0.2/32", "10.1.0.%d")
    lines = ["neigh add %s lladdr 02:00:00:00:0c:%02d dev lan0 nud permanent" % (gate % n, n) for n in (8, 9)]
    lines += ["nexthop add id %d via %s dev lan0" % (n, gate % n) for n in (8, 9)]
    return "; ".join("ip " + line for line in lines + ["nexthop add id 10 group 8/9", "%sroute add %s %snhid 10" % ("-6 " * six, client, by)])


# Routes by TOS: older kernels look at three bits of it only, and nftables at all of the DSCP; newer ones at those three of all.
EF = dict(tos=0xb8)
FIB = "nft insert rule ip ftd forward fib saddr . iif oif missing drop"
for _name, _rule, _tos in (("fib", FIB, 0x18), ("fib", FIB, 0xb8), ("rpfilter", "iptables-nft -t mangle -A PREROUTING -m rpfilter --invert -j DROP", 0x18)):
    case("routes: the way back by TOS 0x%x is another one, which %s asks for" % (_tos, _name), [up(**EF), Do(_rule), up(**EF), up(**EF),
         Do("ip route add 10.1.0.0/24 tos 0x%x dev und1" % _tos), up(**EF), up(**EF)], fast=ANY, base=EF,
         world=dict(id="back by TOS %s %x" % (_name, _tos), needs=_name * (_name == "rpfilter")))
for _n in (8, 9):
    case("routes: next hop %d of a group by TOS does not answer, then does" % _n,
         [Do(gates(False, "tos 0x18 ")), up(**EF), down(**EF), down(**EF), down(**EF), Do("ip neigh replace 10.1.0.%d dev lan0 nud failed" % _n), down(**EF),
          down(**EF), up(**EF), down(**EF)], fast=ANY, base=EF, world=dict(id="hop %d by TOS" % _n))


def beside(path, **fields):
    """A packet of another connection, which was answered before."""
    def send(bed, flow):
        other = getattr(bed, "beside", None)
        if not other:
            other = bed.beside = fl.Flow("udp", path, 3000, None, flow.family, bed.world, bed.seqs)
            other.view["down"] = (*other.view["up"][2:], *other.view["up"][:2])
        for packet in (up(size=77, **fields), down(size=78, **fields)):
            wire, frame, header = other.frame(packet)
            bed.wires[wire].send(frame, header)
            bed.sentinel.follow()
    return Do(send)


# The driver of sit keeps one route for all: that of who asks first after a change.
UNRELATED = Do("ip route add 172.20.0.0/16 dev lan0")
for _proto in ("udp", "tcp"):
    for _name, _path, _fields, _world in (
            ("TOS", ("client", "far"), dict(tos=0x10), dict(tun=dict(tos="inherit"), setup=("route add 203.0.113.0/24 tos 0x10 via 192.0.2.3 dev und0",))),
            ("end", ("client", "far2"), {}, dict(tun=dict(remote=None), setup=(
                "-6 route replace 2001:db8:2::/48 via ::203.0.113.2 dev tun0 onlink", "-6 route replace 2001:db8:3::/48 via ::203.0.113.77 dev tun0 onlink",
                "route add 203.0.113.77/32 via 192.0.2.3 dev und0")))):
        case("routes: sit goes by another %s's%s" % (_name, ", tcp" * (_proto == "tcp")), [beside(_path, **_fields)] * 4 + [
             up(), down(), UNRELATED, beside(_path, **_fields), up(), down(), up(), down()], family=6, proto=_proto, fast=ANY,
             world=dict(_world, kind="sit", id="sit %s %s" % (_name, _proto)))

# Older kernels fragment all that leaves by such a route, however short, after the last hook.
ALL_FRAG = struct.pack("HHHHI", 12, 8, 8, 12, 1 << 3)      # RTA_METRICS, RTAX_FEATURES


def all_frag(prefix, dev, via=None):
    def change(bed, flow):
        r = Routes()
        try:
            r.change(ADD, prefix, dev, via, more=ALL_FRAG)
        finally:
            r.close()
    return Do(change)


for _name, _kind, _route in (("inner", "sit", ("2001:db8:1::2/128", "lan0")), ("outer", "ip6ip6", ("2001:db8:c::2/128", "und0", "2001:db8:a::2"))):
    case("routes: %s one by which all is to be fragmented" % _name, [up(), down(), all_frag(*_route), up(), down(), up(), down(), up(), down()], family=6,
         fast=ANY, world=dict(kind=_kind, id="allfrag"))

# its own, without an announcement of their own
AFTER = [up(hold=1), down(hold=1), up(hold=1), down(hold=1)]
for _name, _what in (("forwarding off", "sysctl -qw net.ipv4.conf.lan0.forwarding=0"), ("forwarding off, all", "sysctl -qw net.ipv4.ip_forward=0"),
                     ("source is ours", "ip addr add 10.1.0.2/32 dev und1"), ("source is a broadcast", "ip route add broadcast 10.1.0.2 dev lan0 table local"),
                     ("destination is ours", "ip addr add 10.2.0.2/32 dev und1"), ("tunnel's end is ours", "ip addr add 203.0.113.2/32 dev und1"),
                     ("address gone", "ip addr del 192.0.2.1/24 dev und0"), ("mtu", "ip route change 10.2.0.0/16 dev tun0 mtu 300"),
                     ("source by another way", "ip route add 10.1.0.2/32 via 192.0.2.3"),
                     ("rule", "ip rule add iif lan0 blackhole"), ("rule for answers", "ip rule add iif tun0 blackhole"),
                     ("rule by mark", "ip rule add fwmark 0 blackhole"),
                     ("policy", "ip xfrm policy add dir fwd src 10.1.0.0/16 dst 10.2.0.0/16 action block"),
                     ("default policy", "ip xfrm policy setdefault fwd block"),
                     ("another tunnel", "ip route add 10.2.0.2/32 dev tun1"),
                     ("two next hops", "ip route replace 203.0.113.0/24 nexthop via 192.0.2.2 dev und0 nexthop via 192.0.2.3 dev und0")):
    for _proto in ("udp", "tcp"):
        case("routes: %s%s" % (_name, ", tcp" * (_proto == "tcp")), [up(), down(), Do("ip route add 172.20.0.0/16 dev lan0"), up(), down(),
             Do(_what)] + AFTER + [Do("ip route add 172.21.0.0/16 dev lan0")] + AFTER, world=dict(id=_name + _proto, nft=QUIET), fast=ANY, proto=_proto)
# A path MTU that is learned after the route was asked for anew.
case("routes: path MTU after a change elsewhere", [up(), down(), Do("ip route add 172.20.0.0/16 dev lan0"), up(full=1400, df=True), down(),
     Do("ip route replace 203.0.113.0/24 via 192.0.2.2 dev und0 mtu 1000"), up(full=1400, df=True), up(full=900, df=True), down()],
     world=dict(id="pmtu"), fast=ANY)

# what its own route may turn into, and which ways are shut then
OWN6 = [(dict(prefix="2001:db8:2::2/128", dev="tun1"), ("up",)), (dict(prefix="2001:db8:2::2/128", kind=BLACKHOLE), ("up",)),
        (dict(prefix="2001:db8:c::2/128", kind=BLACKHOLE), ("up",)), (dict(prefix="2001:db8:1::2/128", kind=BLACKHOLE), ("down",)),
        (dict(prefix="2001:db8:c::2/128", dev="und1", via="2001:db8:b::2"), ("up",)), (dict(prefix="2001:db8:1::2/128", dev="und1"), ("down",))]
OWN = [(dict(prefix="10.2.0.2/32", dev="tun1"), ("up",)), (dict(prefix="10.2.0.2/32", kind=BLACKHOLE), ("up",)),
       (dict(prefix="203.0.113.2/32", kind=BLACKHOLE), ("up",)), (dict(prefix="10.1.0.2/32", kind=BLACKHOLE), ("down",)),
       (dict(prefix="203.0.113.2/32", dev="und1", via="198.51.100.2"), ("up",)), (dict(prefix="10.1.0.2/32", dev="und1"), ("down",))]


def routes(sentinel, args, rounds, size=2, kind="ipip", family=4, other="172.20.0.0/16", ours=OWN):
    """Complaints. In each round there are nine changes elsewhere, after which all but two
    in a hundred packets must be fast, and one of its own."""
    if not args.null:
        engine.arm(True)
    f, r = Flipped(sentinel, kind, family), None
    try:
        out, r, fast = f.prime(args.null), Routes(), 0
        for i in range(rounds):
            before = moved()
            for n in range(9):
                r.change(DEL if n % 2 else ADD, other, "lan0")
                out += wrong(i, "elsewhere", f.burst(size), size, ())
            fast += moved() - before
            own, shut = ours[i % len(ours)]
            r.change(ADD, **own)
            out += wrong(i, own["prefix"], f.burst(size), size, shut)
            r.change(DEL, **own)
            out += wrong(i, "back", f.burst(size), size, ())
            if len(out) > 10:
                break
        if not args.null and fast < 0.98 * rounds * 9 * 2 * size:
            out.append("%d of %d packets were fast" % (fast, rounds * 9 * 2 * size))
        return out
    finally:
        if r:
            r.close()
        f.close()


def moved():
    """Packets of the fast path."""
    counters = net.module_counters()
    return sum(counters.get(k, 0) for k in engine.FAST)


def wrong(i, what, got, size, shut):
    return ["round %d, %s: %d of %d packets %s came through" % (i, what, got[way], size, way)
            for way in ("up", "down") if got[way] != (0 if way in shut else size)]


@special("routes: 300 changes under traffic", tags=("quick",))
def _(sentinel, args):
    return routes(sentinel, args, 27)


@special("routes: 10000 changes under traffic", tags=("long",))
def _(sentinel, args):
    return routes(sentinel, args, 910)


@special("routes: 300 changes of IPv6 under traffic", tags=("quick",))
def _(sentinel, args):
    return routes(sentinel, args, 27, kind="ip6ip6", family=6, other="2001:db8:a0::/48", ours=OWN6)


@special("routes: 10000 changes of IPv6 under traffic", tags=("long",))
def _(sentinel, args):
    return routes(sentinel, args, 910, kind="ip6ip6", family=6, other="2001:db8:a0::/48", ours=OWN6)


for _six in (False, True):
    for _n in (8, 9):
        _gate = ("2001:db8:1::%d" if _six else "10.1.0.%d") % _n
        case("routes: next hop %d of a group does not answer, then does%s" % (_n, ", IPv6" * _six),
             [Do(gates(_six)), up(), down(), down(), down(), Do("ip neigh replace %s dev lan0 nud failed" % _gate), down(), down(), up(), down(),
              Do("ip neigh replace %s lladdr 02:00:00:00:0c:%02d dev lan0 nud permanent" % (_gate, _n)), Wait(2.2), down(), down(), up()],
             family=6 if _six else 4, fast=ANY, world=dict(id="hop %d %s" % (_n, _six), kind="sit" if _six else "ipip"))

# The only one of a group is replaced, which no route hears of.
def lone(six):
    return gates(six).replace("group 8/9", "group 8")


for _six in (False, True):
    for _compat in (1, 0):
        _gate = "2001:db8:1::9" if _six else "10.1.0.9"
        case("routes: the next hop of a group becomes another one%s%s" % (", quietly" * (not _compat), ", IPv6" * _six),
             [Do(lone(_six)), up(), down(), down(), down(), Do("ip nexthop replace id 8 via %s dev lan0" % _gate), down(), down(), up(), down(), down()],
             family=6 if _six else 4, fast=ANY, world=dict(id="lone %s %s" % (_six, _compat), kind="sit" if _six else "ipip",
                                                         sysctl={"net.ipv4.nexthop_compat_mode": _compat}))

case("routes: those by links that are down come to count, IPv6",
     [Do("ip link add vx type veth peer name vy; ip link set vx up; ip -6 neigh add fe80::5 lladdr 02:00:00:00:0c:05 dev vx nud permanent; "
         "ip -6 route add 2001:db8:1::2/128 via fe80::5 dev vx metric 10"), up(), down(), up(), down(),
      Do("sysctl -qw net.ipv6.conf.all.ignore_routes_with_linkdown=1"), up(hold=1), down(hold=1), up(hold=1), down(hold=1)],
     family=6, fast=ANY, undo=["sysctl -qw net.ipv6.conf.all.ignore_routes_with_linkdown=0"], world=dict(kind="sit", id="linkdown"))

# What is counted for a realm is out of a module's reach.
case("routes: a realm", [up()] * 3, refused="route", fast=0, slow="*",
     world=dict(id="realm", needs="realms", setup=("route replace 10.2.0.0/16 dev tun0 realm 5",)))
