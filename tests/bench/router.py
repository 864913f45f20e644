# SPDX-License-Identifier: GPL-2.0
"""The router under test, in a network namespace of its own: the ways that its packets
can go, what they cost, and by which way they really went."""
import json
import math
import os
import statistics
import subprocess
import time

import kinds
import packet
from mark import mark

ARMED = "/sys/module/nf_flowtable_tun/parameters/armed"
# Longer orders would keep the CPU from everything else for too long.
ORDER_MAX = 500000
PART = 2000
WORDS = "dev count first flows start stride port addr fix3 fix4 hash level gso tail l4 inner tunnel".split()

RULES = """
table inet bench {
	counter forwarded { }
	%s
	chain forward {
		type filter hook forward priority 0
		counter name forwarded
		ct state established %s accept
	}
}
"""
FLOWTABLE = """flowtable ft {
		hook ingress priority 0
		devices = { lan0, wan0 }
	}"""
FLOOR = """
table netdev bench {
	chain lan { type filter hook ingress device lan0 priority -100; fwd to wan0; }
	chain wan { type filter hook ingress device wan0 priority -100; fwd to lan0; }
}
"""
SLOW_RULES = RULES % ("", "")
FLOWTABLE_RULES = RULES % (FLOWTABLE, "flow add @ft")
# Nothing may expire while others are measured.
TIMEOUTS = """
for name in nf_conntrack_udp_timeout nf_conntrack_udp_timeout_stream nf_flowtable_udp_timeout \
		nf_flowtable_tcp_timeout nf_conntrack_generic_timeout nf_conntrack_gre_timeout \
		nf_conntrack_gre_timeout_stream; do
	sysctl -qw net.netfilter.$name=36000 2>/dev/null || true
done
"""


def shell(text):
    subprocess.run(["sh", "-euc", text], check=True)


def nft(text):
    subprocess.run(["nft", "-f", "-"], input="flush ruleset\n" + text, text=True, check=True)


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def loaded():
    return os.path.exists(ARMED)


def load(on):
    """The module in the kernel, or not."""
    if on and not loaded():
        shell("modprobe -q nf_conntrack || true; modprobe -q nfnetlink || true; insmod $FTUN_KO")
    elif not on and loaded():
        shell("rmmod nf_flowtable_tun")


def arm(on):
    if loaded():
        write(ARMED, "1" if on else "0")


def stats():
    """The module's counters in this namespace."""
    if not loaded():
        return {}
    return {name: int(value) for name, value in
            (line.split() for line in read("/proc/net/stat/nf_flowtable_tun").splitlines())}


def transmitted(devices):
    """Packets and bytes"""
    packets = octets = 0
    for line in read("/proc/net/dev").splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() in devices:
            octets += int(numbers.split()[8])
            packets += int(numbers.split()[9])
    return packets, octets


def forwarded():
    """Packets that crossed the forward chain; the floor's rules have none."""
    done = subprocess.run(["nft", "-j", "list", "counters"], stdout=subprocess.PIPE, check=True)
    return sum(entry["counter"]["packets"] for entry in json.loads(done.stdout)["nftables"] if "counter" in entry)


def counts(devices):
    """@devices: those that packets leave by"""
    now = stats()
    packets, octets = transmitted(devices)
    return {"sent": packets, "octets": octets, "forwarded": forwarded(), "miss": now.get("miss", 0),
            "fast": sum(value for name, value in now.items() if name.startswith("fast_"))}


def stride(flows):
    """So that neighbours in the order of creation do not follow each other."""
    step = int(flows * 0.618)
    while step and math.gcd(step, flows) != 1:
        step += 1
    return step % flows


def inject(order, count, flows=1, first=0, most=ORDER_MAX):
    """In parts of at most @most packets; returns the nanoseconds per packet of each."""
    costs, done, step = [], 0, stride(flows)
    while done < count:
        part = min(count - done, most)
        words = dict(order, count=part, flows=flows, first=first, start=done * step % flows, stride=step)
        line = " ".join(f"{name}={words[name]}" for name in WORDS if name in words)
        with open("/proc/ftun_inject", "r+b", buffering=0) as file:
            file.write(line.encode() + b"\n" + order["frame"])
            costs.append(int(file.read(64)) / part)
        done += part
    return costs


def measure(order, count, flows=1, first=0):
    """What a packet cost, and which share of them went which way. The median of parts
    that are short enough to be over before something else gets the CPU."""
    before = counts([order["out"]])
    mark()
    costs = inject(order, count, flows, first, PART)
    mark()
    after = counts([order["out"]])
    cell = {name: round((after[name] - before[name]) / count, 4) for name in before}
    cell["cost"] = round(statistics.median(costs), 2)
    return cell


class Router:
    def __init__(self, name):
        self.kind = kinds.KINDS[name]
        shell(self.kind.setup() + TIMEOUTS)
        self.both = [self.kind.order(where, 18) for where in ("in", "out")]

    def touch(self, flows=1, first=0):
        for order in self.both:
            inject(order, flows, flows, first)

    def warm(self, flows=1, first=0):
        """Connections for conntrack, UDP's long enough to be assured."""
        arm(False)
        nft(SLOW_RULES)
        self.touch(flows, first)
        time.sleep(2.5)
        self.touch(flows, first)

    def choose(self, way, flows=1, first=0, extra=()):
        """Time for the flows of the last way to end, packets for those of the next.
        @extra: more orders that have to know the way"""
        if loaded():
            arm(way == "fast")
        if way == "floor":
            nft(FLOOR)
            return
        nft(FLOWTABLE_RULES if way == "flowtable" else SLOW_RULES)
        time.sleep(1.5)
        for _ in range(4 if flows < 100000 else 3):
            self.touch(flows, first)
            for order in extra:
                inject(order, 1)
            time.sleep(0.3)

    def handshake(self):
        """A TCP connection; returns aggregates for both directions."""
        nft(SLOW_RULES)
        syn, ack = packet.TCP_SYN, packet.TCP_ACK
        for where, flags, seq, acked in (("in", syn, 1000, 0), ("out", syn | ack, 5000, 1001), ("in", ack, 1001, 5001)):
            inject(self.kind.tcp(where, flags, seq, acked), 1)
        return [self.kind.tcp("in", ack, 1001, 5001, 1300, 48 * 1300),
                self.kind.tcp("out", ack, 5001, 1001, 1300, 48 * 1300)]
