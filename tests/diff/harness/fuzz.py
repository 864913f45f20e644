# SPDX-License-Identifier: GPL-2.0
"""Mutated packets of a few connections, through the slow and the fast path in
batches. Everything follows from the seed; a round is a router of its own."""
import random

from . import bed as b
from . import dissect, engine, net
from . import flow as fl
from . import frames as fr

ROUND, BATCH = 10000, 500
PATHS = (("client", "far"), ("far", "client"), ("far", "far2"))
INTERESTING = (0, 1, 2, 4, 6, 0x11, 0x29, 0x2c, 0x2f, 0x3a, 0x3c, 0x40, 0x45, 0x46, 0x60, 0x7f, 0x80, 0xfe, 0xff)
# No address that the router would have to look for: the clock decides what comes of that.
ONLY = ("route add 10.1.0.2/32 dev lan0", "route replace blackhole 10.1.0.0/24",
        "route add 192.0.2.2/32 dev und0", "route replace blackhole 192.0.2.0/24",
        "route add 198.51.100.2/32 dev und1", "route replace blackhole 198.51.100.0/24")
ONLY6 = tuple(line for net6, dev in (("2001:db8:1", "lan0"), ("2001:db8:a", "und0"), ("2001:db8:b", "und1"))
              for line in ("route add %s::2/128 dev %s" % (net6, dev), "route del %s::/64 dev %s" % (net6, dev),
                           "route add blackhole %s::/64" % net6))
LONGEST = 14 + 1500             # what a wire takes
SIZES = (0, 1, 2, 3, 17, 32, 33, 100, 500, 1000, 1300)


def world(kind):
    return dict(kind=kind, setup=ONLY + ONLY6 * (kind != "ipip"), lan_mtu=1500)


class Generator:
    """The frames of one round."""

    def __init__(self, kind, family, seed):
        self.rng = random.Random(seed)
        self.kind, self.seqs = kind, {"tun0": 100000, "tun1": 100000}
        self.family, self.port = family, 20000
        self.udp = [self.flow("udp", path) for path in PATHS]

    def flow(self, proto, path):
        self.port += 1
        flow = fl.Flow(proto, path, self.port, None, self.family, dict(kind=self.kind), self.seqs)
        src, sport, dst, dport = flow.view["up"]
        flow.view["down"] = (dst, dport, src, sport)
        return flow

    def frames(self, flow, packets):
        return [flow.frame(p)[:2] for p in packets]

    def start(self):
        """What arms the connections."""
        return [f for flow in self.udp for f in self.frames(flow, fl.WARM_UP["udp"])]

    def batch(self, size):
        rng = self.rng
        tcp = self.flow("tcp", rng.choice(PATHS))
        out = self.frames(tcp, fl.WARM_UP["tcp"])
        for flow in self.udp:
            out += self.frames(flow, [fl.up(), fl.down()])
        while len(out) < size:
            flow = tcp if rng.random() < 0.2 else rng.choice(self.udp)
            wire, frame, _ = flow.frame(self.packet(flow))
            out.append((wire, self.mutate(frame) if rng.random() < 0.8 else frame))
        return out

    def packet(self, flow):
        """A right packet; TCP stays where it is, so that it remains inside its window."""
        rng = self.rng
        fields = dict(size=rng.choice(SIZES))
        if flow.proto == "tcp":
            fields.update(hold=1, flags=rng.choice(("A", "PA", "PA", "PA")))
        if rng.random() < 0.2:
            fields.update(tos=rng.choice((1, 2, 3, 0xb8)))
        if rng.random() < 0.1:
            fields.update(ttl=rng.choice((0, 1, 2, 255)))
        if rng.random() < 0.1:
            fields.update(df=True)
        if rng.random() < 0.05:
            fields.update(o_tos=rng.choice((1, 2, 3, 0xb8)))
        return fl.Pkt(rng.choice(("up", "down")), **fields)

    def mutate(self, frame):
        rng, layers = self.rng, dissect.Walk(frame).layers
        new = bytearray(frame)
        end = min(len(new), layers[-1].at + 20) if layers else len(new)
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            new = self.change(new, end, layers)
        if layers and rng.random() < 0.995:
            self.keep_sequence(frame, new, layers)
        if rng.random() < 0.6:
            self.mend(new, layers)
        return bytes(new[:LONGEST])

    def change(self, new, end, layers):
        rng, what = self.rng, self.rng.random()
        at = rng.randrange(14 if rng.random() < 0.97 else 0, end)
        if at >= len(new):
            return new
        if what < 0.45:
            new[at] ^= 1 << rng.randrange(8)
        elif what < 0.7:
            new[at] = rng.choice(INTERESTING)
        elif what < 0.75:
            new[at] = (new[at] + rng.choice((-1, 1))) & 0xff
        elif what < 0.82:
            return new[:rng.randrange(14, len(new) + 1)]
        elif what < 0.9:
            return new + bytes(rng.randrange(256) for _ in range(rng.choice((1, 2, 3, 8, 40))))
        elif what < 0.95 and layers:
            layer = rng.choice(layers)          # a length that is a little wrong
            at = layer.at + {"ip4": 3, "ip6": 5, "udp": 5}.get(layer.what, 1)
            if at < len(new):
                new[at] = (new[at] + rng.choice((-8, -1, 1, 8))) & 0xff
        else:
            cut = rng.randrange(14, end)        # bytes that are not there, or twice
            size = rng.choice((1, 2, 4, 8))
            return new[:cut] + new[cut + size:] if rng.random() < 0.5 else new[:cut + size] + new[cut:]
        return new

    def keep_sequence(self, frame, new, layers):
        """A sequence number far ahead would make the router drop all that follow."""
        for gre in layers:
            if gre.what == "gre" and frame[gre.at] & 0x10 and len(new) >= gre.at + gre.size:
                at = gre.at + gre.size - 4
                new[at:at + 4] = frame[at:at + 4]

    def mend(self, new, layers):
        """Right header checksums, so that the rest is looked at."""
        for ip in layers:
            if ip.what == "ip4" and len(new) >= ip.at + 20:
                size = max(new[ip.at] & 15, 5) * 4
                new[ip.at + 10:ip.at + 12] = b"\0\0"
                new[ip.at + 10:ip.at + 12] = fr.csum(bytes(new[ip.at:ip.at + size])).to_bytes(2, "big")


class FuzzPass(engine.Pass):
    """The same batches through one path."""

    def __init__(self, kind, family, batches, *rest):
        cases = [engine.Case("fuzz", [], world(kind), family=family, path=path) for path in PATHS]
        super().__init__(cases, *rest)
        self.batches = batches

    def run(self, keep=False):
        if not self.null:
            engine.arm(self.fast)
        self.bed = bed = b.Bed(self.cases[0].world, self.sentinel, bare=True)
        try:
            self.prime(bed)
            bed.norm.rebase()
            out, old = [], bed.snapshot()
            for i, batch in enumerate(self.batches):
                for wire, frame in batch:
                    bed.wires[wire].send(frame)
                bed.drain()
                new = bed.snapshot(conntrack=i == len(self.batches) - 1)
                new["ct"] = new["ct"] or old["ct"]      # only read once, it takes long
                out.append(engine.delta(old, new, bed.collect()))
                old = new
            return out
        finally:
            bed.close()


class Fuzz:
    def __init__(self, args, sentinel):
        self.args, self.sentinel = args, sentinel

    def passes(self, kind, family, batches):
        return [FuzzPass(kind, family, batches, self.sentinel, fast, self.args.null).run() for fast in (False, True)]

    def differ(self, kind, family, batches):
        """(index of the first batch that went another way, what differs), or None"""
        slow, fast = self.passes(kind, family, batches)
        self.fast = sum(r["mod"].get(k, 0) for r in fast for k in engine.FAST)
        for i, (a, z) in enumerate(zip(slow, fast)):
            found = engine.compare(a, z)
            if found:
                return i, [line for _, lines in found for line in lines]
        return None

    def flavour(self, kind, family, count, seed):
        """(complaints, frames sent, how many were fast, rounds that only differed once). What the clock
        decides, such as whether an ICMPv6 redirect may be sent again, is not the same twice."""
        sent = fast = number = once = 0
        while sent < count:
            gen = Generator(kind, family, "%s %d %s %d" % (kind, family, seed, number))
            batches = [gen.start()] + [gen.batch(BATCH) for _ in range(min(ROUND, count - sent + BATCH - 1) // BATCH)]
            found = self.differ(kind, family, batches)
            sent += sum(map(len, batches))
            fast += self.fast
            if found:
                again = self.differ(kind, family, batches)
                if again:
                    return self.report(kind, family, batches, number, *again), sent, fast, once
                print("# %s %d, round %d differed once: %s" % (kind, family, number, "; ".join(found[1][:3])), flush=True)
                once += 1
            number += 1
        return [], sent, fast, once

    def report(self, kind, family, batches, number, index, lines):
        out = ["round %d, batch %d:" % (number, index)] + lines[:60]
        culprit = self.narrow(kind, family, batches[0], [f for batch in batches[1:index + 1] for f in batch])
        return out + ["first difference by these frames:"] + [
            "  Raw(%r, bytes.fromhex(%r))" % (wire, frame.hex()) for wire, frame in culprit] + [
            "  %s: %s" % (wire, dissect.summary(frame)) for wire, frame in culprit]

    def narrow(self, kind, family, start, frames):
        """The frame that it takes, alone if that is enough; else the last ones."""
        good, bad = 0, len(frames)
        while bad - good > 1:
            middle = (good + bad) // 2
            if self.differ(kind, family, [start, frames[:middle]]):
                bad = middle
            else:
                good = middle
        last = frames[bad - 1:bad]
        return last if self.differ(kind, family, [start, last]) else frames[max(0, bad - 5):bad]


def run(args, flavours, listing):
    seed = args.seed or random.randrange(1 << 32)
    sentinel = net.Sentinel()
    try:
        for label, kind, family in flavours:
            fuzz = Fuzz(args, sentinel)
            try:
                said, sent, fast, once = fuzz.flavour(kind, family, args.fuzz, seed)
            except (net.HarnessError, OSError) as e:
                said, sent, fast, once = ["%s: %s" % (type(e).__name__, e)], 0, 0, 0
            listing.result("fuzz %s: %d frames, seed %s" % (label, sent, seed), said,
                           "  # %d fast%s" % (fast, ", %d rounds differed once" % once if once else ""))
    finally:
        sentinel.close()
