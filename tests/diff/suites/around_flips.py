# SPDX-License-Identifier: GPL-2.0
"""The ruleset changes ten thousand times while a connection is fast and another CPU never
stops sending packets of it. After every change, as soon as nft has returned: not one packet
passes that the rules drop, and every other one does."""
import os
import signal

from harness import bed as b
from harness import engine, net
from harness import flow as fl
from harness.engine import special
from harness.flow import down, up

MINE, NOISE = b"\xa5" * 24, b"\x5a" * 24
BOTH, UP, DOWN = ("up", "down"), ("up",), ("down",)

SETS = """set bads { type ipv4_addr; }
set ranges { type ipv4_addr; flags interval; }
set pairs { type ipv4_addr . inet_service; flags interval; }
map fates { type ipv4_addr : verdict; }"""
RULES = """chain sets {
 type filter hook forward priority 21;
 ip saddr @bads drop
 ip saddr @ranges drop
 ip saddr . udp dport @pairs drop
 ip saddr vmap @fates
}"""
CHAINS = "".join("chain %s {\n type filter hook %s priority %d;\n}\n" % c for c in (
    ("pre", "prerouting", -90), ("middle", "forward", 20), ("post", "postrouting", 20), ("inp", "input", 20),
    ("outp", "output", 20), ("judge", "forward", 22)))
# Errors quote what they are about.
QUIET = "table ip quiet {\nchain out {\n type filter hook output priority -300;\n ip protocol icmp drop\n}\n}\n"
QUIET6 = "table ip6 quiet {\nchain out {\n type filter hook output priority -300;\n icmpv6 type < 128 drop\n}\n}\n"
TABLE = QUIET + QUIET6 + "table ip flip {\n%s\n%s\n%s\n}\n" % (SETS, CHAINS, RULES)
# Makes a transaction take long, and with it the time in which it is half done.
LOAD = " ".join("add element ip flip ranges { 10.200.%d.0-10.200.%d.9 };" % (n, n) for n in range(100))


def rule(chain, match):
    return "add rule ip flip %s %s drop" % (chain, match), "flush chain ip flip " + chain


def element(name, data):
    return tuple("%s element ip flip %s { %s }" % (verb, name, data) for verb in ("add", "delete"))


# (what turns it on, what turns it off), and the ways that are shut in between
FLIPS = [
    (rule("middle", ""), BOTH), (rule("middle", "ip saddr 10.1.0.2"), UP), (rule("middle", "ip daddr 10.1.0.2"), DOWN),
    (rule("pre", "ip saddr 10.1.0.2"), UP), (rule("post", "ip saddr 10.2.0.2"), DOWN),
    (rule("outp", "ip protocol 4"), UP), (rule("post", "ip protocol 4"), UP),
    (rule("inp", "ip protocol 4"), DOWN), (rule("pre", "ip protocol 4"), DOWN),
    (element("bads", "10.1.0.2"), UP), (element("bads", "10.2.0.2"), DOWN), (element("ranges", "10.1.0.0-10.1.0.9"), UP),
    (element("pairs", "10.2.0.0-10.2.0.9 . 1-65535"), DOWN), (element("fates", "10.1.0.2 : drop"), UP),
    (tuple("add chain ip flip judge { policy %s; }" % p for p in ("drop", "accept")), BOTH),
    ((LOAD + "add chain ip flip judge { policy drop; }", "flush set ip flip ranges; add chain ip flip judge { policy accept; }"), BOTH),
    ((LOAD + "add element ip flip ranges { 10.1.0.2 }", "flush set ip flip ranges"), UP),
]


class Flipped:
    """A connection, its packets ready to be sent, and another CPU that sends them too."""

    def __init__(self, sentinel, kind="ipip", family=4):
        world = dict(nft=TABLE, kind=kind)
        self.bed = b.Bed(world, sentinel)
        self.flow = fl.Flow("udp", ("client", "far"), 20000, family=family, world=world)
        self.nft, self.child = net.Nft(), 0
        engine.Pass([], sentinel, True, True).packets(self.bed, self.flow, fl.WARM_UP["udp"])
        self.frames = {way.way: self.flow.frame(way)[:2] for way in (up(data=MINE), down(data=MINE))}
        self.noise = [self.flow.frame(way)[:2] for way in (up(data=NOISE), down(data=NOISE))]

    def make_noise(self):
        self.child = os.fork()
        if self.child:
            return
        try:
            os.nice(19)         # if there is no other
            os.sched_setaffinity(0, set(range(os.cpu_count())) - os.sched_getaffinity(0) or {0})
            while os.getppid() != 1:
                for wire, frame in self.noise:
                    self.bed.wires[wire].send(frame)
        finally:
            os._exit(0)

    def burst(self, size):
        """How many of so many packets each way came through."""
        for wire, frame in self.frames.values():
            for _ in range(size):
                self.bed.wires[wire].send(frame)
        self.bed.drain()
        return {way: sum(MINE in frame for frame in self.bed.wires[wire].take())
                for way, wire in (("up", "far"), ("down", "client"))}

    def prime(self, null):
        """Until the fast path has it: a worker puts the hooks there."""
        for _ in range(200):
            before = net.module_counters()
            self.burst(1)
            after = net.module_counters()
            if null or all(after[k] > before[k] for k in ("fast_encap", "fast_decap")):
                return []
        return ["the connection did not become fast"]

    def close(self):
        if self.child:
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
        self.nft.close()
        self.bed.close()


def flips(sentinel, args, changes, size=3):
    """Complaints."""
    if not args.null:
        engine.arm(True)
    f = Flipped(sentinel)
    try:
        out = f.prime(args.null)
        before = net.module_counters()
        f.make_noise()
        for i in range(changes // 2):
            (on, off), shut = FLIPS[i % len(FLIPS)]
            for line, closed in ((on, shut), (off, ())):
                f.nft.run(line)
                got = f.burst(size)
                out += ["change %d, %s: %d of %d packets %s came through" % (i, line[-60:], got[way], size, way)
                        for way in BOTH if got[way] != (0 if way in closed else size)]
            if len(out) > 10:
                break
        return out + (not args.null) * fast_enough(before, changes)
    finally:
        f.close()


def fast_enough(before, changes):
    """After every other change two of three packets each way are fast, less what the noise proves."""
    after = net.module_counters()
    fast = sum(after.get(k, 0) - before.get(k, 0) for k in engine.FAST)
    return [] if fast >= changes else ["only %d packets were fast in %d changes" % (fast, changes)]


@special("rules: the ruleset changes 200 times under traffic", tags=("quick",))
def _(sentinel, args):
    return flips(sentinel, args, 200)


@special("rules: the ruleset changes 10000 times under traffic", tags=("long",))
def _(sentinel, args):
    return flips(sentinel, args, 10000)
