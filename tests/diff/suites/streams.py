# SPDX-License-Identifier: GPL-2.0
"""Real sockets through the router, offloads on: what arrives must be what was
sent, most of it by the fast path, whatever happens on the way. The ends are

   ftd-c: 10.1.0.2 on c0          ftd-f: 192.0.2.2 on f0, 203.0.113.2 and
                                         10.2.0.2 at the end of a tunnel of its own

with IPv6 as in the drawing of harness/bed.py.
"""
import errno
import hashlib
import os
import select
import socket
import time

from harness import bed as b
from harness import engine, net, secret
from harness.engine import special
from harness.kinds import IN_KEY, OUT_KEY, pair
from harness.sites import SITES

from .flavours import FLAVOURS

SIZE = 6 << 20
SERVER = SITES["far"].addrs
CLIENT = ("addr add 10.1.0.2/24 dev c0", "route add default via 10.1.0.1")
# The router's end may not answer solicitations at once.
CLIENT6 = ("addr add 2001:db8:1::2/64 dev c0 nodad", "neigh add 2001:db8:1::1 lladdr %s dev c0" % SITES["client"].router_mac, "route add 2001:db8::/32 via 2001:db8:1::1")
ENDS = ("addr add 192.0.2.2/24 dev f0", "addr add 203.0.113.2/32 dev lo")
ENDS6 = ("addr add 2001:db8:a::2/64 dev f0 nodad", "neigh add 2001:db8:a::1 lladdr %s dev f0" % SITES["far"].router_mac, "addr add 2001:db8:c::2/128 dev lo nodad")
INSIDE = {4: ("addr add 10.2.0.2/32 dev t0", "route add 10.1.0.0/16 dev t0", "route add 10.9.0.0/16 dev t0"),
          6: ("addr add 2001:db8:2::2/128 dev t0 nodad", "route add 2001:db8:1::/64 dev t0",
              "route add 2001:db8:9::/64 dev t0")}


def plain_end(kind, far, router):
    """Options of a device that is not external, to be the other end of one that puts checksums on: external ones take none in."""
    options = dict(local=far, remote=router, icsum=True, seq=True if "seq" in kind.gre else None,
                   encaplimit="none" if kind.under == 6 else None)
    return {**options, "ikey": OUT_KEY, "okey": IN_KEY} if "key" in kind.gre else options


def far_end(kind):
    """The other end of tun0: its keys are the other way round."""
    far, router = SITES["far"].outers[kind.under]
    options, encap = kind.options("far end", far, router), kind.encap(far, router)
    if kind.external and "csum" in (kind.gre or ()):
        options, encap = plain_end(kind, far, router), ""
    elif "ikey" in options:
        options["ikey"], options["okey"] = options["okey"], options["ikey"]
    return kind.setup() + ["link add t0 type %s %s" % (kind.link, b.tunnel_options(options, {})),
                           "link set t0 up", "link set t0 mtu %d" % kind.mtu()] + [
        line.replace(" dev", " " + encap + "dev") if line[:5] == "route" else line for family in kind.inner for line in INSIDE[family]]


class Streams:
    """The router of bed.py with two real hosts at its sides."""

    def __init__(self, sentinel, args, world=None, family=4):
        self.null, self.family = args.null, family
        if not self.null:
            engine.arm(True)
        self.bed = b.Bed({"offload": True, "lan_mtu": 1500, **(world or {})}, sentinel)
        self.kind, six = pair(self.bed.world)[0], self.bed.dual
        if self.bed.below:
            self.host("c", "over", ("addr add 10.1.0.2/24 dev over", "route add default dev over"))
        else:
            self.host("c", "c0", CLIENT + CLIENT6 * six)
        self.host("f", "f0", [*ENDS, *ENDS6 * six, *far_end(self.kind)])
        for wire in self.bed.wires.values():
            wire.close()
        self.bed.wires = {}

    def host(self, ns, dev, lines):
        with self.bed.ns[ns]:
            if self.bed.dual:
                for name in ("all", "default"):
                    net.sysctl("net.ipv6.conf.%s.disable_ipv6" % name, 0)
            net.run("ip", "-batch", "-", stdin="\n".join(["link set %s mtu 1500" % dev] * (dev != "over") + list(lines)) + "\n")

    def socket(self, ns, kind):
        with self.bed.ns[ns]:
            s = socket.socket(socket.AF_INET6 if self.family == 6 else socket.AF_INET, kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return s

    def dial(self, to):
        """Not at once: until a neighbour answers, the far end or the router can give a connection up."""
        for last in (False, False, True):
            c = self.socket("c", socket.SOCK_STREAM)
            c.settimeout(20)
            try:
                c.connect(to)
                return c
            except OSError as e:
                c.close()
                if last or e.errno not in (errno.ECONNRESET, errno.EHOSTUNREACH):
                    raise

    def connect(self, dial=None):
        """(client's end, far end), not blocking."""
        listener = self.socket("f", socket.SOCK_STREAM)
        listener.bind(("", 5001))
        listener.listen(1)
        c = self.dial(dial or (SERVER[self.family], 5001))
        f = listener.accept()[0]
        listener.close()
        c.setblocking(False)
        f.setblocking(False)
        return c, f

    def prime(self, a, z):
        """A byte to and fro until the fast path is seen: a worker puts the hooks there."""
        for _ in range(1 if self.null else 50):
            for one, other in ((a, z), (z, a)):
                one.send(b"x")
                select.select([other], [], [], 10)
                other.recv(1)
            count = self.count()
            if count.get("fast_plain", 0) > 1 or min(count.get(k, 0) for k in ("fast_encap", "fast_decap")):
                break
            time.sleep(0.02)

    def count(self):
        """The module's counters and what the forward chain saw."""
        self.bed.ns["r"].enter()
        return {**net.module_counters(), "crossed": net.nft_counters(self.bed.nfnl).get("crossed", (0, 0))[0]}

    def moved(self, before):
        """What has been counted since."""
        return {k: n - before.get(k, 0) for k, n in self.count().items() if n != before.get(k, 0)}

    def too_slow(self, before, share):
        """Complaints, if less than that share of the packets was fast."""
        if not share or self.null:
            return []
        moved = self.moved(before)
        fast, crossed = sum(moved.get(k, 0) for k in engine.FAST), moved.pop("crossed", 0)
        # A tunnel that numbers its packets takes no aggregates, nor does one whose checksums are metadata's choice: how many
        # there are is TCP's business.
        gre = self.kind.gre or ()
        apart = "seq" in gre or "csum" in gre and self.kind.external
        due = crossed - moved.get("pass_gso", 0) if apart else crossed
        if fast >= share * (fast + due):
            return []
        return ["fast path took %d packets, the forward chain saw %d (%s)" % (
            fast, crossed, ", ".join("%s=%d" % kv for kv in sorted(moved.items())))]

    def close(self):
        self.bed.close()


def transfer(a, z, data, events=(), limit=60):
    """data from a to z and back at the same time; events: [(share, function)]. limit: seconds
    in which nothing at all arrives. Returns complaints."""
    ends = {a: dict(out=memoryview(data), got=hashlib.sha256(), n=0),
            z: dict(out=memoryview(data), got=hashlib.sha256(), n=0)}
    events, last = list(events), time.monotonic()
    while any(e["n"] < len(data) for e in ends.values()):
        if time.monotonic() - last > limit:
            return ["stalled: %s of %d bytes" % ([e["n"] for e in ends.values()], len(data))]
        done = sum(e["n"] for e in ends.values()) / 2 / len(data)
        if events and done >= events[0][0]:
            events.pop(0)[1]()
        r, w, _ = select.select(list(ends), [s for s, e in ends.items() if e["out"]], [], 0.5)
        for s in w:
            ends[s]["out"] = ends[s]["out"][s.send(ends[s]["out"][:1 << 18]):]
        for s in r:
            _receive(s, ends[s])
            last = time.monotonic()
            if ends[s]["n"] < 0:
                return ["connection closed early"]
    want = hashlib.sha256(data).digest()
    return [] if all(e["got"].digest() == want for e in ends.values()) else ["bytes arrived changed"]


def _receive(s, end):
    chunk = s.recv(1 << 18)
    if not chunk:
        end["n"] = -1
        return
    end["got"].update(chunk)
    end["n"] += len(chunk)


def tcp(sentinel, args, world=None, events=lambda s: (), share=0.9, size=SIZE, family=4):
    """One connection, both directions at once; complaints."""
    s = Streams(sentinel, args, world, family)
    try:
        a, z = s.connect()
        data = os.urandom(size)
        if share:
            s.prime(a, z)
        before = s.count()
        out = transfer(a, z, data, events(s)) or s.too_slow(before, share)
        if s.bed.below and s.bed.below.take()[secret.CLEAR]:
            out.append("some of it was not encrypted")
        a.close()
        z.close()
        return out
    finally:
        s.close()


@special("ipip stream: tcp both ways, offloads on", tags=("quick", "stream"))
def _(sentinel, args):
    return tcp(sentinel, args)


@special("ipip stream: tcp both ways, masquerade", tags=("stream",))
def _(sentinel, args):
    return tcp(sentinel, args, dict(nat=["post oifname tun0 masquerade"]))


@special("ipip stream: tcp both ways, offloads off", tags=("stream",))
def _(sentinel, args):
    return tcp(sentinel, args, dict(offload=False), size=SIZE // 4)


@special("ipip stream: tcp both ways, tunnel mtu changes", tags=("stream",))
def _(sentinel, args):
    def events(s):
        return [(share, lambda m=mtu: net.shell("ip link set tun0 mtu %d" % m))
                for share, mtu in ((0.2, 1300), (0.4, 1480), (0.6, 1000), (0.8, 1480))]
    return tcp(sentinel, args, events=events, share=0)


@special("ipip stream: tcp both ways, conntrack -F and routes", tags=("stream",))
def _(sentinel, args):
    lines = ["conntrack -F", "ip route replace 10.2.0.0/16 dev tun0", "nft add rule ip ftd forward ip ttl 200 drop",
             "ip neigh flush dev und0", "ip link set tun0 type ipip ttl 77", "ip link set tun0 type ipip tos inherit",
             "conntrack -D -p tcp; true"]
    def events(s):
        return [((i + 1) / 10, lambda c=c: net.shell(c)) for i, c in enumerate(lines)]
    return tcp(sentinel, args, dict(neigh="kernel"), events=events, share=0)


@special("ipip stream: disarmed and armed under traffic", tags=("stream", "module"))
def _(sentinel, args):
    def events(s):
        return [((i + 1) / 12, lambda on=i % 2: engine.arm(on)) for i in range(10)]
    return tcp(sentinel, args, events=events, share=0)


@special("ipip stream: rmmod and insmod under traffic", tags=("stream", "module"))
def _(sentinel, args):
    def toggle(i):
        net.run(*(("insmod", args.ko) if i % 2 else ("rmmod", "nf_flowtable_tun")))
    def events(s):
        return [((i + 1) / 8, lambda i=i: toggle(i)) for i in range(6)]
    if not args.ko:
        return "the module's file is not known"
    return tcp(sentinel, args, events=events, share=0, size=2 * SIZE)


def _chatter(ends):
    """Half a second of packets; nobody needs to take them."""
    for _ in range(50):
        for end in ends:
            try:
                end.send(b"x" * 1000)
            except OSError:
                pass
        time.sleep(0.01)


@special("ipip stream: network namespace deleted under traffic", tags=("stream",))
def _(sentinel, args):
    s = Streams(sentinel, args)
    try:
        a, z = s.connect()
        out = transfer(a, z, os.urandom(1 << 20))
        u = s.socket("c", socket.SOCK_DGRAM)
        u.connect((SERVER[4], 9))
        _chatter((a, u))
    finally:
        s.close()         # the router goes while both ends go on sending
    _chatter((a, u))
    for end in (a, z, u):
        end.close()
    return out


def echo(a, z, data):
    """What comes back to a if z sends back what it gets; nothing if it is lost."""
    try:
        a.send(data)
        z.send(z.recv(65536))
        return a.recv(65536)
    except TimeoutError:
        return None


def udp(sentinel, args, world=None, family=4, count=1500):
    """Datagrams of all sizes that go there and back; complaints."""
    s = Streams(sentinel, args, world, family)
    try:
        z = s.socket("f", socket.SOCK_DGRAM)
        z.bind((SERVER[family], 5001))
        a = s.socket("c", socket.SOCK_DGRAM)
        a.connect((SERVER[family], 5001))
        for end in (a, z):
            end.settimeout(10)
        most = pair(s.bed.world)[0].mtu() - {4: 28, 6: 48}[family] - 4
        for _ in range(3):
            a.send(b"x")            # neighbours may not be there yet
            if select.select([z], [], [], 5)[0]:
                break
        z.connect(z.recvfrom(1)[1])
        s.prime(a, z)
        before = s.count()
        for i in range(count):
            data = os.urandom(4) + bytes(i * 7 % (most + 1))
            if echo(a, z, data) != data:
                return ["datagram %d did not come back as it was: %s" % (i, s.moved(before))]
        return s.too_slow(before, 0.9)
    finally:
        s.close()


@special("ipip stream: udp datagrams both ways", tags=("quick", "stream"))
def _(sentinel, args):
    return udp(sentinel, args)


# ---- every kind -----------------------------------------------------------------

def smaller_wire(s):
    """Both ends of it: a veth device drops what is larger than its own MTU when it gets it, and tells nobody."""
    for ns, dev in (("f", "f0"), ("r", "und0")):
        with s.bed.ns[ns]:
            net.shell("ip link set %s mtu 1400" % dev)


def changes(s):
    lines = ["ip link set tun0 mtu 1280", "ip -6 route replace 2001:db8:2::/48 dev tun0; ip route replace 10.2.0.0/16 dev tun0; true",
             "nft add rule inet ftd forward meta l4proto 99 drop", "conntrack -F", "ip link set tun0 mtu %d" %
             pair(s.bed.world)[0].mtu(), "ip neigh flush dev und0"]
    return [((i + 1) / 10, lambda c=c: net.shell(c)) for i, c in enumerate(lines)] + [(0.7, lambda: smaller_wire(s))]


def streams(fl):
    def add(name, run, **how):
        special("%s stream: %s" % (fl.label, name), tags=("stream",) + ("quick",) * (fl.full and name == "tcp both ways"),
                kind=fl.kind.name)(lambda sentinel, args: run(sentinel, args, family=fl.family, **how))

    world = dict(kind=fl.kind.name)
    add("tcp both ways", tcp, world=world, size=SIZE // 3)
    add("udp datagrams both ways", udp, world=world, count=700)
    if fl.full:
        add("tcp both ways, masquerade", tcp, world=dict(world, nat=["post oifname tun0 masquerade"]), size=SIZE // 3)
        add("tcp both ways, offloads off", tcp, world=dict(world, offload=False), size=SIZE // 6)
        add("tcp both ways, many changes", tcp, world=dict(world, neigh="kernel"), events=changes, share=0, size=SIZE // 3)


for _fl in FLAVOURS:
    streams(_fl)
