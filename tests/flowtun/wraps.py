# SPDX-License-Identifier: GPL-2.0
"""Weeks later: the kernel's clock, of which 32 bits are compared, has gone round half of
its face. Needs ftun_leap.ko, which is in leap/, and a kernel whose scheduler has a clock of its
own, which UML's has not."""
import os
import re
import subprocess
import time

from bed import Conn, net_sysctl
from cases import Skip, read, same, settled, stat, tool

HALF = 1 << 31
STEP = 1 << 28
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def write(path, value):
    with open(path, "w", encoding="ascii") as file:
        file.write(str(value))


class Leap:
    """The clock. Watchdogs that take that for a standstill are sent away."""

    WATCHDOGS = {"rcupdate/parameters/rcu_cpu_stall_suppress": 1, "workqueue/parameters/watchdog_thresh": 0}

    def __init__(self):
        module = os.path.join(os.environ["FTUN_MODULES"], "ftun_leap.ko")
        if not os.path.exists(module) or os.cpu_count() != 1 or os.environ.get("FTUN_GUEST") != "stock":
            raise Skip("no ftun_leap.ko, several CPUs, or no stock guest")
        for name, value in self.WATCHDOGS.items():
            if os.path.exists("/sys/module/" + name):
                write("/sys/module/" + name, value)
        subprocess.run(["insmod", module], check=False, stderr=subprocess.DEVNULL)
        with open("/sys/module/ftun_leap/parameters/hz", encoding="ascii") as file:
            self.hz = int(file.read())

    @staticmethod
    def by(jiffies):
        write("/sys/module/ftun_leap/parameters/jiffies", jiffies)


def timeouts(bed):
    """Seconds that conntrack lets UDP connections live."""
    return [int(n) for n in re.findall(r"^udp +17 (\d+)", bed.shell("conntrack -L -p udp 2>/dev/null"), re.M)]


@test
def denied_weeks_later(bed):
    """weeks after a rule: what it denies is refused once, not with each packet"""
    leap = Leap()
    tool(bed, "set", "tunnel", "tun0", "deny")
    leap.by(HALF + 100 * leap.hz)
    conn = Conn(bed, 1000).warm()
    before = stat(bed, "refuse_denied")
    conn.talk(10)
    same((before, stat(bed, "refuse_denied")), (2, 2), "refusals")
    tool(bed, "set", "tunnel", "tun1", "deny")
    conn.talk(2)
    same(stat(bed, "refuse_denied"), 4, "tried again after a change")


@test
def lived_for_weeks(bed):
    """weeks after its last slow packet: a connection has no longer to live than others"""
    leap = Leap()
    seconds = 2 * STEP // leap.hz
    for name in ("conntrack_udp_timeout", "conntrack_udp_timeout_stream", "conntrack_generic_timeout", "flowtable_udp_timeout"):
        net_sysctl(bed, "net.netfilter.nf_" + name, seconds)
    conn = settled(bed)
    conn.up(size=1456)
    same(read(bed, "flows")[0]["original"]["passed"], "pass_mtu")
    before = stat(bed, "fast_encap")
    for _ in range((HALF + 4 * STEP) // STEP):
        leap.by(STEP)
        conn.talk(2)
        time.sleep(1.3)
    same(stat(bed, "fast_encap") - before, 24, "all of them are fast")
    tool(bed, "flush")
    same([n <= seconds for n in timeouts(bed)], [True], "%r of %d seconds" % (timeouts(bed), seconds))
