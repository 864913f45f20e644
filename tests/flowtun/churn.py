# SPDX-License-Identifier: GPL-2.0
"""Dumps of many connections while others come and go: each that lives all through a
dump is in it exactly once."""
import array
import os
import subprocess
import threading
import time

import cases
import nl

HERE = os.path.dirname(os.path.abspath(__file__))
DUMPS = 3
CHURN = 4096            # connections that come and go at a time
FIRST = 50000 << 16     # the number of the first of them


def write(path, value):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(value))


def compiled(name):
    program = "/tmp/" + name
    subprocess.run(["gcc", "-O2", "-Wall", "-o", program, os.path.join(HERE, name + ".c")], check=True)
    return program


class Flood:
    def __init__(self, bed):
        self.bed, self.program = bed, compiled("flood")

    def send(self, first, count, rounds=2):
        fds = (self.bed.client.sock.fileno(), self.bed.far.sock.fileno())
        subprocess.run([self.program, *map(str, fds + (first, count, rounds))], pass_fds=fds, check=True)


def dump(bed):
    """Ids in the order in which they come."""
    with bed.router:
        family = nl.Socket().family
        done = subprocess.run([compiled("ids"), str(family)], stdout=subprocess.PIPE, check=True)
    return array.array("Q", done.stdout).tolist()


def dump_by_tool(bed):
    with bed.router:
        child = subprocess.Popen(["flowtun", "flows"], stdout=subprocess.PIPE)
    ids = [int(line.split()[2]) for line in child.stdout if line.startswith(b"udp id ")]
    cases.same(child.wait(), 0, "flowtun flows")
    return ids


class Churn(threading.Thread):
    """Connections far above the others in number: made, deleted, made again."""

    def __init__(self, flood):
        super().__init__(daemon=True)
        self.flood, self.over, self.turns, self.error = flood, False, 0, None

    def turn(self):
        self.flood.send(FIRST, CHURN)
        self.tool("delete")
        cases.same(self.tool("flows"), b"", "connections left when they have been deleted")
        self.turns += 1

    def tool(self, verb):
        return subprocess.run(["flowtun", "-n", "ftt-r", verb, "sport", str(1024 + (FIRST >> 16)), "dport", "80"],
                              stdout=subprocess.PIPE, check=True).stdout

    def run(self):
        try:
            while not self.over:
                self.turn()
        except Exception as error:      # pylint: disable=broad-except
            self.error = error

    def stop(self):
        self.over = True
        self.join()
        cases.same((self.error, self.turns > 0), (None, True), "connections came and went")


def prepare(bed, count):
    # Room and time for all of them. Asking for the family loads the module.
    cases.tool(bed, "set", "udp-timeout", "36000")
    write("/proc/sys/net/netfilter/nf_conntrack_max", 4 * (count + CHURN))
    write("/sys/module/nf_conntrack/parameters/hashsize", max(count, 16384))
    limit = "/sys/module/nf_flowtable_tun/parameters/flow_limit"
    with open(limit, encoding="ascii") as file:
        before = file.read()
    write(limit, 2 * (count + CHURN))
    with bed.router:
        for name in ("nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"):
            write("/proc/sys/net/netfilter/" + name, 36000)
    return lambda: write(limit, before)


def free_memory():
    with open("/proc/meminfo", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("MemAvailable"))


def make_base(bed, flood, count):
    """Ids of so many connections, and one more."""
    cases.armed(bed, 999)                # the hooks are there
    start, memory = time.monotonic(), free_memory()
    flood.send(0, count)
    made, used = time.monotonic() - start, memory - free_memory()
    base = set(dump(bed))
    print("# %d connections after %.0f s, dumped in %.0f s; %d MB of memory for them, conntrack's included" % (
        len(base), made, time.monotonic() - start - made, used // 1024), flush=True)
    cases.same(len(base), count + 1, "connections")
    return base


def one_dump(bed, base, churn):
    start, turns = time.monotonic(), churn.turns
    ids = dump(bed)
    print("# dump of %d in %.0f s, %d times %d connections came and went meanwhile" % (
        len(ids), time.monotonic() - start, churn.turns - turns, CHURN), flush=True)
    cases.same((len(ids) - len(set(ids)), len(base.difference(ids))), (0, 0), "connections twice, and missed")


def run(bed, count):
    """Dump them while others come and go; those that were there from the start are in all dumps."""
    undo, flood = prepare(bed, count), Flood(bed)
    try:
        base = make_base(bed, flood, count)
        churn = Churn(flood)
        churn.start()
        for _ in range(DUMPS):
            one_dump(bed, base, churn)
        churn.stop()
        start = time.monotonic()
        cases.same(base.difference(dump_by_tool(bed)), set(), "all lived all the while")
        print("# shown by flowtun in %.0f s" % (time.monotonic() - start))
    finally:
        undo()


def dumps(bed):
    """a dump has each connection that lives through it once, while others come and go"""
    run(bed, 5000)


def million(bed):
    """a dump of a million connections while others come and go"""
    run(bed, 1000000)


TESTS = [dumps]
