# SPDX-License-Identifier: GPL-2.0
"""Real sockets through the router, offloads on: what arrives must be what was
sent, most of it by the fast path, whatever happens on the way. The ends are

   ftd-c: 10.1.0.2 on c0          ftd-f: 192.0.2.2 on f0, 203.0.113.2 and
                                         10.2.0.2 at the end of a tunnel of its own
"""
import hashlib
import os
import select
import socket
import time

from harness import bed as b
from harness import engine, net
from harness.engine import special

SIZE = 6 << 20
CLIENT = ("addr add 10.1.0.2/24 dev c0", "route add default via 10.1.0.1")
FAR = ("addr add 192.0.2.2/24 dev f0", "addr add 203.0.113.2/32 dev lo",
       "link add t0 type ipip local 203.0.113.2 remote 192.0.2.1", "link set t0 up",
       "addr add 10.2.0.2/32 dev t0", "route add 10.1.0.0/16 dev t0", "route add 10.9.0.0/16 dev t0")


class Streams:
    """The router of bed.py with two real hosts at its sides."""

    def __init__(self, sentinel, args, world=None):
        self.null = args.null
        if not self.null:
            engine.arm(True)
        self.bed = b.Bed({"offload": True, "lan_mtu": 1500, **(world or {})}, sentinel)
        for ns, lines in (("c", CLIENT), ("f", FAR)):
            with self.bed.ns[ns]:
                net.run("ip", "-batch", "-", stdin="\n".join(lines) + "\n")
                for dev in {"c": ("c0",), "f": ("f0", "t0")}[ns]:
                    net.run("ip", "link", "set", dev, "mtu", "1480" if dev == "t0" else "1500")
        for wire in self.bed.wires.values():
            wire.close()
        self.bed.wires = {}

    def socket(self, ns, kind):
        with self.bed.ns[ns]:
            s = socket.socket(socket.AF_INET, kind)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return s

    def connect(self, port=5001):
        """(client's end, far end), not blocking."""
        listener = self.socket("f", socket.SOCK_STREAM)
        listener.bind(("10.2.0.2", port))
        listener.listen(1)
        c = self.socket("c", socket.SOCK_STREAM)
        c.settimeout(20)
        c.connect(("10.2.0.2", port))
        f = listener.accept()[0]
        listener.close()
        c.setblocking(False)
        f.setblocking(False)
        return c, f

    def count(self):
        """(fast path, forward chain) packets so far."""
        self.bed.ns["r"].enter()
        mod = net.module_counters()
        return (sum(mod.get(k, 0) for k in engine.FAST),
                net.nft_counters(self.bed.nfnl).get("crossed", (0, 0))[0])

    def close(self):
        self.bed.close()


def transfer(a, z, data, events=(), limit=90):
    """data from a to z and back at the same time; events: [(share, function)].
    Returns complaints."""
    ends = {a: dict(out=memoryview(data), got=hashlib.sha256(), n=0),
            z: dict(out=memoryview(data), got=hashlib.sha256(), n=0)}
    events, start = list(events), time.monotonic()
    while any(e["n"] < len(data) for e in ends.values()):
        if time.monotonic() - start > limit:
            return ["stalled: %s of %d bytes" % ([e["n"] for e in ends.values()], len(data))]
        done = sum(e["n"] for e in ends.values()) / 2 / len(data)
        if events and done >= events[0][0]:
            events.pop(0)[1]()
        r, w, _ = select.select(list(ends), [s for s, e in ends.items() if e["out"]], [], 0.5)
        for s in w:
            ends[s]["out"] = ends[s]["out"][s.send(ends[s]["out"][:1 << 18]):]
        for s in r:
            _receive(s, ends[s])
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


def tcp(sentinel, args, world=None, events=lambda s: (), share=0.9, size=SIZE):
    """One connection, both directions at once; complaints."""
    s = Streams(sentinel, args, world)
    try:
        a, z = s.connect()
        data = os.urandom(size)
        fast0, crossed0 = s.count()
        out = transfer(a, z, data, events(s))
        if share and not args.null and not out:
            fast1, crossed1 = s.count()
            fast, crossed = fast1 - fast0, crossed1 - crossed0
            if fast < share * (fast + crossed):
                out.append("fast path took %d packets, the forward chain saw %d" % (fast, crossed))
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
        u.connect(("10.2.0.2", 9))
        _chatter((a, u))
    finally:
        s.close()         # the router goes while both ends go on sending
    _chatter((a, u))
    for end in (a, z, u):
        end.close()
    return out


@special("ipip stream: udp datagrams both ways", tags=("quick", "stream"))
def _(sentinel, args):
    s = Streams(sentinel, args)
    try:
        z = s.socket("f", socket.SOCK_DGRAM)
        z.bind(("10.2.0.2", 5001))
        a = s.socket("c", socket.SOCK_DGRAM)
        a.connect(("10.2.0.2", 5001))
        for end in (a, z):
            end.settimeout(10)
        fast0, crossed0 = s.count()
        for i in range(1500):
            data = os.urandom(4) + bytes(i * 7 % 1449)
            a.send(data)
            got, peer = z.recvfrom(65536)
            z.sendto(got, peer)
            if got != data or a.recv(65536) != data:
                return ["datagram %d arrived changed" % i]
        fast1, crossed1 = s.count()
        fast, crossed = fast1 - fast0, crossed1 - crossed0
        if not args.null and fast < 0.9 * (fast + crossed):
            return ["fast path took %d packets, the forward chain saw %d" % (fast, crossed)]
        return []
    finally:
        s.close()
