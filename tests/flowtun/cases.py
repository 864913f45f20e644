# SPDX-License-Identifier: GPL-2.0
"""What each verb of flowtun must do, and what the settings must."""
import json
import os
import re
import subprocess
import time

import bed as b
import kinds
from bed import Conn

TESTS = []


class Skip(Exception):
    """Not tried, and why."""


def test(function):
    TESTS.append(function)
    return function


def same(got, want, what=""):
    if got != want:
        raise AssertionError("%s: got %r, expected %r" % (what, got, want))


def has(text, part):
    if part not in text:
        raise AssertionError("%r is not in:\n%s" % (part, text))


def until(what, check, seconds=10):
    """Things that a worker does take a moment; how long is not what is tested."""
    for _ in range(seconds * 20):
        if check():
            return
        time.sleep(0.05)
    raise AssertionError("never: " + what)


def tool(bed, *words, code=0, stdin=None):
    """Output of flowtun; its error output if it has to fail."""
    got, out, err = bed.run("flowtun", *words, stdin=stdin)
    if got != code:
        raise AssertionError("flowtun %s: exit code %d, expected %d\n%s%s" % (" ".join(words), got, code, out, err))
    return err if code else out


def read(bed, *words):
    return json.loads(tool(bed, "-j", *words))


def stat(bed, name):
    return read(bed, "stats", name)[0]["value"]


def flows(bed, *words):
    return read(bed, "flows", *words)


def states(bed, *words):
    return [(f["original"]["state"], f["reply"]["state"]) for f in flows(bed, *words)]


def is_fast(bed, conn):
    """Does the fast path send its packets? One may be passed now and then, as when a UDP stream becomes assured."""
    before = stat(bed, "fast_encap")
    for _ in range(3):
        conn.up()
    return stat(bed, "fast_encap") > before + 1


def both_armed(bed, conn):
    """On a machine that is busy a device's hook takes a while; without one nothing is learned."""
    if states(bed, "sport", str(conn.sport), "dport", str(conn.dport)) == [("armed", "armed")]:
        return True
    conn.talk(1)
    return False


def armed(bed, sport=1000, **fields):
    conn = Conn(bed, sport, **fields).warm()
    until("armed", lambda: both_armed(bed, conn) and is_fast(bed, conn))
    return conn


def settled(bed, sport=1000, **fields):
    """An armed connection that conntrack has called assured, so that every packet is fast."""
    conn = armed(bed, sport, **fields)
    time.sleep(2.1)
    conn.talk(2)
    return conn


def ended(bed, which):
    until("no connection left", lambda: not flows(bed))
    return stat(bed, "flow_ended_" + which)


# ---- verbs ----

@test
def autoload(bed):
    """the module is loaded by asking for its family"""
    subprocess.run(["rmmod", "nf_flowtable_tun"], check=False, stderr=subprocess.DEVNULL)
    same(os.path.exists("/sys/module/nf_flowtable_tun"), False, "unloaded")
    tool(bed, "get")
    same(os.path.exists("/sys/module/nf_flowtable_tun"), True, "loaded")


@test
def autoload_off(bed):
    """an alias in modprobe.d keeps it from being loaded by asking, not by modprobe"""
    conf = "/etc/modprobe.d/nf_flowtable_tun.conf"
    subprocess.run(["rmmod", "nf_flowtable_tun"], check=False, stderr=subprocess.DEVNULL)
    with open(conf, "w", encoding="ascii") as file:
        file.write("alias net-pf-16-proto-16-family-nf_flowtun off\n")
    try:
        has(tool(bed, "get", code=2), "is not loaded")
        same(os.path.exists("/sys/module/nf_flowtable_tun"), False, "not loaded")
        subprocess.run(["modprobe", "nf_flowtable_tun"], check=True)
        tool(bed, "get")
    finally:
        os.unlink(conf)


@test
def show(bed):
    """show: one screen, the same numbers in JSON"""
    armed(bed)
    text = tool(bed, "show")
    for part in ("armed        yes", "connections  1", "tun0", "tun1", "2 with an ingress hook"):
        has(text, part)
    data = read(bed, "show")
    same((data["armed"], data["connections"], data["devices"]), (True, 1, 2))
    same(data["fast_packets"], stat(bed, "fast_encap") + stat(bed, "fast_decap"))
    same([t["name"] for t in data["tunnels"] if t["armed"]], ["tun0"])
    top = [t["value"] for t in data["top"]]
    same(top, sorted(top, reverse=True), "largest first")


@test
def flows_tell_all(bed):
    """flows: both directions, addresses, tunnel headers, counters"""
    conn = armed(bed, 1234, dport=80)
    conn.talk(7)
    (flow,) = flows(bed)
    up, down = flow["original"], flow["reply"]
    same(up["tuple"], dict(proto="udp", src="10.1.0.2", dst="10.2.0.2", sport=1234, dport=80))
    same(down["tuple"], dict(proto="udp", src="10.2.0.2", dst="10.1.0.2", sport=80, dport=1234))
    same((up["state"], down["state"], up["in"], up["out"], up["wire_in"], up["wire_out"]),
         ("armed", "armed", "lan0", "tun0", "lan0", "und0"))
    same((down["in"], down["out"], down["wire_in"], down["wire_out"]), ("tun0", "lan0", "und0", "lan0"))
    same(up["encap"], dict(dev="tun0", encap="ip", src="192.0.2.1", dst="203.0.113.2"))
    same(down["decap"], dict(dev="tun0", encap="ip", src="203.0.113.2", dst="192.0.2.1"))
    same(("decap" in up, "encap" in down, "nat" in up), (False, False, False))
    same(up["packets"], stat(bed, "fast_encap"))
    same(down["packets"], stat(bed, "fast_decap"))
    same(up["bytes"], up["packets"] * 46)
    text = tool(bed, "-s", "flows")
    for part in ("10.1.0.2:1234 -> 10.2.0.2:80 armed", "into tun0 ip 192.0.2.1 -> 203.0.113.2", "mtu 1480"):
        has(text, part)


@test
def flows_tell_nat(bed):
    """flows: addresses after NAT"""
    bed.nft("table ip n { chain post { type nat hook postrouting priority 100; oifname tun0 meta l4proto udp snat to 10.9.9.9:7777; }; }")
    conn = Conn(bed, 1000)
    conn.up()
    conn.bed.far.send(beds_answer(conn))
    for _ in range(3):
        conn.up()
        conn.bed.far.send(beds_answer(conn))
        time.sleep(0.1)
    until("armed", lambda: states(bed) == [("armed", "armed")])
    (flow,) = flows(bed)
    same(flow["original"]["nat"], dict(proto="udp", src="10.9.9.9", dst="10.2.0.2", sport=7777, dport=80))
    same(flow["reply"]["nat"], dict(proto="udp", src="10.2.0.2", dst="10.1.0.2", sport=80, dport=1000))
    has(tool(bed, "flows"), "nat 10.9.9.9:7777 -> 10.2.0.2:80")


def beds_answer(conn):
    packet = b.udp(conn.far, "10.9.9.9", conn.dport, 7777)
    return b.ether(b.UND, b.GATE, b.ipv4(conn.end, "192.0.2.1", 4, packet))


@test
def tunnels(bed):
    """tunnels: how much is fast, exactly"""
    conn = Conn(bed, 1000)
    conn.talk(1)
    conn.warm()
    conn.talk(20)
    data = {t["name"]: t for t in read(bed, "tunnels")}
    got = data["tun0"]
    same((got["tx_fast"], got["rx_fast"]), (stat(bed, "fast_encap"), stat(bed, "fast_decap")))
    stats = json.loads(bed.shell("ip -j -s link show tun0"))[0]["stats64"]
    same((got["tx_packets"], got["rx_packets"]), (stats["tx"]["packets"], stats["rx"]["packets"]))
    same((got["armed"], got["slow"], data["tun1"]["armed"], data["tun1"]["tx_packets"]), (2, 0, 0, 0))
    tool(bed, "flush")
    again = {t["name"]: t for t in read(bed, "tunnels")}["tun0"]
    same((again["tx_fast"], again["armed"]), (got["tx_fast"], 0), "what ended paths have counted is kept")
    has(tool(bed, "tunnels", "tun0"), "tun0")
    same(len(read(bed, "tunnels", "tun0")), 1)
    has(tool(bed, "tunnels", "lan0", code=2), "no tunnel device has this index")
    tool(bed, "tunnels", "nosuch", code=1)


@test
def another_tunnel(bed):
    """tunnels: what a connection sent by one is not another's when it changes"""
    conn = settled(bed)
    conn.talk(5)
    before = {t["name"]: t for t in read(bed, "tunnels")}
    bed.shell("ip route add 10.2.0.2/32 dev tun1")
    for _ in range(6):
        conn.up()
    after = {t["name"]: t for t in read(bed, "tunnels")}
    same(after["tun0"]["tx_fast"], before["tun0"]["tx_fast"])
    same(0 < after["tun1"]["tx_fast"] <= after["tun1"]["tx_packets"], True, after["tun1"])


@test
def devices(bed):
    """devices: those with an ingress hook, and only those"""
    same(read(bed, "devices"), [])
    armed(bed)
    same(sorted(d["name"] for d in read(bed, "devices")), ["lan0", "und0"])
    same(read(bed, "devices", "lan0")[0]["hook"], "after")
    has(tool(bed, "devices", "tun0", code=2), "no device with an ingress hook has this index")
    has(tool(bed, "devices"), "after other netdev chains")


@test
def stats(bed):
    """stats: names and values of /proc, explained, for Prometheus"""
    armed(bed)
    proc = dict(line.split() for line in bed.read("/proc/net/stat/nf_flowtable_tun").splitlines())
    got = {s["name"]: str(s["value"]) for s in read(bed, "stats")}
    same(got, proc)
    shown = [line.split()[0] for line in tool(bed, "stats").splitlines()]
    same(shown, [name for name in proc if proc[name] != "0"])
    text = tool(bed, "stats", "--all", "--explain")
    for name in proc:
        has(text, name)
    for entry in read(bed, "stats", "--explain"):
        same(bool(entry["text"]), True, entry["name"])
        if entry["name"].startswith(("pass_", "refuse_", "wait_")):
            same(bool(entry["advice"]), True, entry["name"] + " has advice")
    lines = tool(bed, "stats", "--prometheus").splitlines()
    same(len(lines), 3 * len(proc))
    for i in range(0, len(lines), 3):
        name = re.fullmatch(r"# HELP (\w+) \S.*", lines[i]).group(1)
        same(lines[i + 1], "# TYPE %s counter" % name)
        same(re.fullmatch(name + r" \d+", lines[i + 2]) is not None, True, lines[i + 2])
    has(tool(bed, "stats", "nosuch", code=1), "no counter is called nosuch")


@test
def delete(bed):
    """delete, flush: by id, tuple, filter, all; it is learned again"""
    conns = [armed(bed, 1000 + i) for i in range(4)]
    number = {f["original"]["tuple"]["sport"]: f["id"] for f in flows(bed)}
    has(tool(bed, "delete", "id", str(number[1000])), "1 deleted")
    same(sorted(f["id"] for f in flows(bed)), sorted(number[p] for p in (1001, 1002, 1003)))
    same(read(bed, "delete", *conns[1].words()), {"deleted": 1})
    reverse = ["udp", "10.2.0.2:80", "10.1.0.2:1002"]
    same(read(bed, "delete", *reverse), {"deleted": 1})
    same(read(bed, "delete", "sport", "9"), {"deleted": 0})
    same(read(bed, "delete", "dport", "80", "tunnel", "tun0"), {"deleted": 1})
    same((flows(bed), stat(bed, "flow_ended_deleted")), ([], 4))
    has(tool(bed, "delete", "id", str(number[1000]), code=2), "no such connection")
    has(tool(bed, "delete", *conns[1].words(), code=2), "no such connection")
    for conn in conns:
        conn.talk(2)
    same(states(bed), [("armed", "armed")] * 4)
    same(read(bed, "flush"), {"deleted": 4})
    same(flows(bed), [])
    same(bed.shell("conntrack -L -p udp 2>/dev/null").count("OFFLOAD"), 0)


@test
def monitor(bed):
    """monitor: what becomes of a connection, in order"""
    child = bed.start("flowtun", "-j", "monitor")
    same(child.stderr.readline(), "flowtun: listening\n")
    conn = armed(bed)
    bed.shell("ip link set tun0 mtu 1400")
    until("stale", lambda: ("stale", "stale") in states(bed))
    conn.talk(2)
    tool(bed, "flush")
    events = [json.loads(child.stdout.readline()) for _ in range(12)]
    child.kill()
    child.communicate()
    same([(e["event"], e.get("direction", "both")) for e in events if e.get("direction") != "reply"],
         [("learned", "both"), ("proven", "original"), ("armed", "original"), ("stale", "original"),
          ("proven", "original"), ("armed", "original"), ("ended", "both")])
    same(events[-1]["reason"], "flow_ended_deleted")
    same(events[0]["original"], dict(proto="udp", src="10.1.0.2", dst="10.2.0.2", sport=1000, dport=80))
    same({e["id"] for e in events}, {events[0]["id"]})


@test
def monitor_refusals(bed):
    """monitor: refusals come with their reason, as text too"""
    tool(bed, "set", "tunnel", "tun0", "deny")
    child = bed.start("flowtun", "monitor")
    child.stderr.readline()
    Conn(bed, 1000).warm()
    lines = [child.stdout.readline() for _ in range(3)]
    child.kill()
    child.communicate()
    has(lines[0], "learned  id 1 udp 10.1.0.2:1000 -> 10.2.0.2:80")
    text = "".join(sorted(line.split(" ", 1)[1] for line in lines[1:]))
    same(text, "refused  id 1 udp 10.1.0.2:1000 -> 10.2.0.2:80 refuse_denied\n"
         "refused  id 1 udp 10.2.0.2:80 -> 10.1.0.2:1000 (reply) refuse_denied\n")


@test
def monitor_unloaded(bed):
    """monitor: ends when the module is unloaded; of one that is loaded again it would hear nothing"""
    child = bed.start("flowtun", "monitor")
    same(child.stderr.readline(), "flowtun: listening\n")
    armed(bed)
    subprocess.run(["rmmod", "nf_flowtable_tun"], check=True)
    try:
        out, err = child.communicate(timeout=30)
    finally:
        child.kill()
        subprocess.run(["insmod", os.environ["FTUN_KO"]], check=True)
    same((child.returncode, err), (2, "flowtun: the module has been unloaded\n"))
    has(out, "learned")


@test
def top(bed):
    """top: the busiest first, packets per second"""
    conns = [armed(bed, 1000 + i) for i in range(3)]
    child = bed.start("flowtun", "-j", "top", "interval", "2", "count", "1")
    time.sleep(0.7)
    for times, conn in zip((5, 60, 20), conns):
        conn.talk(times)
    out, err = child.communicate()
    same(child.returncode, 0, err)
    got = [c["original"]["sport"] for c in json.loads(out)]
    same(got, [1001, 1002, 1000])
    has(tool(bed, "top", "count", "1"), "3 connections known")


# ---- settings ----

ROUND_TRIP = (
    ("armed", "no"), ("armed", "yes"), ("protocols", "tcp"), ("protocols", "udp"), ("protocols", "tcp,udp"),
    ("learn-after", "65535"), ("learn-after", "0"), ("assured", "yes"), ("assured", "no"), ("plain", "yes"), ("plain", "no"),
    ("flow-limit", "1000"), ("flow-limit", "default"), ("hook", "before"), ("hook", "after"),
    ("tcp-timeout", "432000"), ("tcp-timeout", "default"), ("udp-timeout", "5"), ("udp-timeout", "default"),
    ("select", "ct-mark 0x1/0xff"), ("select", "mark 0x10/0xffffffff"), ("select", "ct-label 127"), ("select", "all"),
)


@test
def set_get(bed):
    """set, get: every setting comes back as it was set; one at a time"""
    defaults = tool(bed, "get")
    for name, value in ROUND_TRIP:
        tool(bed, "set", name, *value.split())
        same(tool(bed, "get", name).strip(), value, name)
        same(tool(bed, "get", "--defaults"), defaults)
    same(tool(bed, "get"), defaults, "all are back")
    tool(bed, "set", "tunnel", "tun0", "deny", "device", "eth9", "allow", "armed", "no", "tunnel", "a", "allow")
    has(tool(bed, "get"), "tunnel tun0 deny\ndevice eth9 allow\ntunnel a allow\n")
    tool(bed, "set", "tunnel", "tun0", "allow", "device", "eth9", "default")
    has(tool(bed, "get"), "tunnel tun0 allow\ntunnel a allow\n")
    tool(bed, "set", "reset")
    same(tool(bed, "get"), defaults, "reset")


@test
def conf(bed):
    """conf: what show writes, load takes; all of a file or nothing"""
    words = ("armed no protocols udp learn-after 7 assured yes plain yes flow-limit 99 hook before tcp-timeout 11 "
             "udp-timeout 12 select ct-mark 0x2/0xf tunnel tun0 deny device lan0 allow device lan#2 deny")
    tool(bed, "set", *words.split())
    saved = tool(bed, "conf", "show")
    tool(bed, "set", "reset", "tunnel", "other", "deny")
    tool(bed, "conf", "load", stdin="# a comment\n" + saved.replace("yes\n", "yes # another\n"))
    same(tool(bed, "conf", "show"), saved)
    bad = saved.replace("learn-after 7", "learn-after 70000").replace("armed no", "armed yes")
    has(tool(bed, "conf", "load", stdin=bad, code=2), "out of range")
    tool(bed, "conf", "load", stdin="armed yes\nnonsense 3\n", code=1)
    same(tool(bed, "conf", "show"), saved, "nothing changed")
    tool(bed, "conf", "load", stdin="")
    same(tool(bed, "get"), tool(bed, "get", "--defaults"), "an empty file is the defaults")


@test
def setting_armed(bed):
    """armed: off hands connections back, on learns them again; other namespaces go on"""
    conn = armed(bed)
    tool(bed, "set", "armed", "no")
    same(ended(bed, "disarmed"), 1)
    same(is_fast(bed, conn), False)
    has(tool(bed, "show"), "armed        no: see flowtun set armed yes")
    tool(bed, "set", "armed", "yes")
    conn.talk(2)
    same(is_fast(bed, conn), True)


@test
def module_armed(bed):
    """the module's parameter armed is stronger than the namespace's setting"""
    conn = armed(bed)
    path = "/sys/module/nf_flowtable_tun/parameters/armed"
    with open(path, "w", encoding="ascii") as file:
        file.write("0")
    try:
        same(ended(bed, "disarmed"), 1)
        tool(bed, "set", "armed", "yes")
        conn.talk(3)
        same((is_fast(bed, conn), flows(bed)), (False, []))
        has(tool(bed, "show"), "no: the module's parameter armed is N")
    finally:
        with open(path, "w", encoding="ascii") as file:
            file.write("1")
    conn.talk(2)
    same(is_fast(bed, conn), True)


@test
def select_ct_mark(bed):
    """select ct-mark: the user's own rule in the forward chain chooses"""
    bed.rules("udp dport 81 ct mark set 0x11")
    tool(bed, "set", "select", "ct-mark", "0x1/0xf")
    plain, chosen = Conn(bed, 1000, dport=80).warm(), Conn(bed, 1001, dport=81).warm()
    same((is_fast(bed, plain), is_fast(bed, chosen)), (False, True))
    (flow,) = flows(bed)
    same((flow["ct_mark"], flow["original"]["tuple"]["dport"]), (0x11, 81))
    same(stat(bed, "wait_unselected") > 0, True)
    tool(bed, "set", "select", "ct-mark", "0x2/0xf")
    chosen.talk(3)
    same(is_fast(bed, chosen), False, "no longer chosen")
    same(flows(bed)[0]["original"]["reason"], "wait_unselected")
    tool(bed, "set", "select", "all")
    chosen.talk(2)
    plain.talk(3)
    same((is_fast(bed, plain), is_fast(bed, chosen)), (True, True))


@test
def select_mark(bed):
    """select mark: the packet's mark as it leaves"""
    bed.rules("udp dport 81 meta mark set 5")
    tool(bed, "set", "select", "mark", "5")
    chosen = Conn(bed, 1001, dport=81)
    chosen.warm()
    until("armed", lambda: is_fast(bed, chosen))
    same([f["original"]["state"] for f in flows(bed)], ["armed"])
    plain = Conn(bed, 1000).warm()
    same((is_fast(bed, plain), len(flows(bed))), (False, 1))


@test
def select_ct_label(bed):
    """select ct-label: the connection's label"""
    bed.rules("udp dport 81 ct label set 3")
    tool(bed, "set", "select", "ct-label", "3")
    plain, chosen = Conn(bed, 1000).warm(), Conn(bed, 1001, dport=81).warm()
    same((is_fast(bed, plain), is_fast(bed, chosen)), (False, True))


@test
def setting_protocols(bed):
    """protocols: only those"""
    tool(bed, "set", "protocols", "tcp")
    udp, tcp = Conn(bed, 1000).warm(), Conn(bed, 1001, proto="tcp").warm()
    same((is_fast(bed, udp), is_fast(bed, tcp)), (False, True))


@test
def setting_learn_after(bed):
    """learn-after: so many packets of a direction are left to the slow path first"""
    armed(bed, 999)                              # the hooks are there now
    tool(bed, "set", "learn-after", "5")
    conn = Conn(bed, 1000)
    conn.talk(1)
    before = stat(bed, "wait_packets")
    for _ in range(4):
        conn.up()
        same(states(bed, "sport", "1000", "dst", "10.2.0.2")[0][0], "learning")
    conn.up()
    same(stat(bed, "wait_packets"), before + 5)
    conn.up()
    same(states(bed, "sport", "1000", "dst", "10.2.0.2")[0][0], "armed")


@test
def setting_assured(bed):
    """assured: UDP waits until conntrack calls it so"""
    tool(bed, "set", "assured", "yes")
    conn = Conn(bed, 1000).warm()
    same((is_fast(bed, conn), stat(bed, "wait_unassured") > 0), (False, True))
    time.sleep(2.1)                              # by conntrack's own clock
    conn.talk(3)
    same(is_fast(bed, conn), True)


@test
def setting_flow_limit(bed):
    """flow-limit: no more connections than that; never more than the module's"""
    tool(bed, "set", "flow-limit", "2")
    conns = [Conn(bed, 1000 + i).warm() for i in range(3)]
    same([is_fast(bed, c) for c in conns], [True, True, False])
    same(stat(bed, "refuse_limit") > 0, True)
    tool(bed, "set", "flow-limit", "3")
    conns[2].talk(3)
    same(is_fast(bed, conns[2]), True)


@test
def setting_hook(bed):
    """hook: before a netdev chain, which then sees no fast packets"""
    bed.nft("table netdev n { chain c { type filter hook ingress device lan0 priority 0; counter; }; }")
    conn = settled(bed)

    def seen():
        return int(re.search(r"packets (\d+)", bed.shell("nft list chain netdev n c")).group(1))

    before = seen()
    conn.talk(5)
    same(seen(), before + 5, "after: all are seen")
    tool(bed, "set", "hook", "before")
    same(read(bed, "devices", "lan0")[0]["hook"], "before")
    conn.talk(3)
    before = seen()
    conn.talk(5)
    same((seen(), is_fast(bed, conn)), (before, True), "before: none is")


@test
def setting_timeout(bed):
    """udp-timeout: an idle connection is handed back; default follows the sysctl"""
    with bed.router:
        with open("/proc/sys/net/netfilter/nf_flowtable_udp_timeout", "w", encoding="ascii") as file:
            file.write("1000")
    tool(bed, "set", "udp-timeout", "1")
    armed(bed)
    same(ended(bed, "idle"), 1)
    tool(bed, "set", "udp-timeout", "default")
    armed(bed, 1001)
    time.sleep(2.5)
    same(len(flows(bed)), 1, "the sysctl's 1000 seconds")


@test
def rule_tunnel(bed):
    """tunnel allow, deny: live connections too; allowing one denies the others"""
    one, two = armed(bed, 1000), armed(bed, 1001, far="10.3.0.2", end="203.0.113.3")
    tool(bed, "set", "tunnel", "tun0", "deny")
    for conn in (one, two):
        conn.talk(3)
    same((is_fast(bed, one), is_fast(bed, two)), (False, True))
    (flow,) = flows(bed, "reason", "refuse_denied")
    same((flow["original"]["tuple"]["sport"], flow["original"]["out"]), (1000, "tun0"))
    tool(bed, "set", "tunnel", "tun0", "allow")
    for conn in (one, two):
        conn.talk(3)
    same((is_fast(bed, one), is_fast(bed, two)), (True, False), "at once, without waiting to retry")
    has(tool(bed, "why", *two.words()), "flowtun set tunnel NAME allow")
    tool(bed, "set", "tunnel", "tun0", "default")
    for conn in (one, two):
        conn.talk(3)
    same((is_fast(bed, one), is_fast(bed, two)), (True, True))


@test
def lost_in_tunnel(bed):
    """a packet that never came out of the tunnel: the next one there, of a refused connection, is not taken for it"""
    bed.help_ftp(80)
    refused = Conn(bed, 1000, proto="tcp").warm()
    until("refused", lambda: refused.talk() or states(bed) == [("refused", "refused")])
    conn = settled(bed, 1001)
    # Between the two POSTROUTINGs: UDP in IPIP of that length
    bed.nft("table ip lost { chain c { type filter hook output priority 0; meta length 110 ip protocol 4 @nh,232,8 17 drop; }; }")
    for _ in range(9):
        refused.up()
        conn.up(size=62)
        refused.up(size=50)
    same(stat(bed, "refuse_mismatch"), 0)
    conn.talk(3)
    same(is_fast(bed, conn), True)
    same(states(bed, "reason", "refuse_helper"), [("refused", "refused")])


@test
def rule_device(bed):
    """device deny: in and out"""
    conn = armed(bed)
    for dev in ("lan0", "und0"):
        tool(bed, "set", "reset", "device", dev, "deny")
        conn.talk(3)
        same((is_fast(bed, conn), states(bed)), (False, [("refused", "refused")]), dev)
    tool(bed, "set", "reset")
    conn.talk(3)
    same(is_fast(bed, conn), True)


# ---- why ----

@test
def why_fast(bed):
    """why: fast, by either direction's tuple"""
    conn = armed(bed)
    for words in (conn.words(), ["udp", "10.2.0.2:80", "10.1.0.2:1000"]):
        data = read(bed, "why", *words)
        same((data["known"], data["original"]["fast"], data["reply"]["fast"]), (True, True, True), "%r" % data)
    text = tool(bed, "why", *conn.words())
    same(text.count("    fast for "), 2)
    data = read(bed, "why", "tun0")
    same((data["fast"], [(d["state"], d["count"]) for d in data["directions"]]), (True, [("armed", 2)]))


@test
def why_unknown(bed):
    """why: connections that conntrack or the module does not know"""
    has(tool(bed, "why", "udp", "10.1.0.2:1", "10.2.0.2:2", code=2), "conntrack knows no such connection")
    conn = Conn(bed, 1000)
    conn.up()
    has(tool(bed, "why", *conn.words()), "no packet of it was seen to be forwarded into or out of a tunnel")
    has(tool(bed, "why", "tun0"), "no connection in it is known")
    tool(bed, "set", "select", "mark", "1")
    has(tool(bed, "why", *conn.words()), "no packet of it was seen")
    has(tool(bed, "why", "lo", code=1), "neither a tuple nor a tunnel device")


# ---- events for others ----

@test
def tracepoints(bed):
    """tracepoints: learn, prove, arm, refuse, stale, end"""
    trace = "/sys/kernel/tracing"
    if not os.path.isdir(trace + "/events"):
        subprocess.run(["mount", "-t", "tracefs", "tracefs", trace], check=False)
    switch = trace + "/events/nf_flowtable_tun/enable"
    if not os.path.exists(switch):
        raise Skip("this kernel has no tracing")
    with open(trace + "/trace", "w", encoding="ascii"):
        pass
    with open(switch, "w", encoding="ascii") as file:
        file.write("1")
    conn = armed(bed)
    bed.shell("ip link set tun0 mtu 1400")
    until("stale", lambda: ("stale", "stale") in states(bed))
    tool(bed, "set", "tunnel", "tun0", "deny")
    conn.talk(2)
    tool(bed, "flush")
    with open(switch, "w", encoding="ascii") as file:
        file.write("0")
    with open(trace + "/trace", encoding="ascii") as file:
        lines = file.read()
    for name in ("learn", "prove", "arm", "refuse", "stale", "end"):
        has(lines, "ftun_%s: id=" % name)
    has(lines, "reason=refuse_denied")
    has(lines, "sport=1000 dport=80")


@test
def tap(bed):
    """a tap on the tunnel device sees every packet, and speed returns after"""
    conn = settled(bed)
    child = bed.start("tcpdump", "-B", "8192", "-l", "-n", "-c", "40", "-i", "tun0", "udp")
    has(child.stderr.readline() + child.stderr.readline(), "listening")
    before = stat(bed, "fast_encap") + stat(bed, "fast_decap")
    conn.talk(20)
    same(stat(bed, "fast_encap") + stat(bed, "fast_decap"), before, "all step aside")
    out, _ = child.communicate(timeout=60)
    same(out.count("UDP"), 40, out)
    until("fast again", lambda: is_fast(bed, conn))


# ---- who may do what ----

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@test
def unprivileged(bed):
    """without privileges: settings, counters, devices, tunnels can be read, no more"""
    armed(bed)
    for words in (("get",), ("stats",), ("devices",), ("tunnels",), ("show",)):
        code, _, err = bed.run(*NOBODY, "flowtun", *words)
        same((code, err), (0, ""), words)
    for words in (("flows",), ("flush",), ("set", "armed", "no"), ("delete", "id", "1"), ("monitor",),
                  ("why", "udp", "10.1.0.2:1000", "10.2.0.2:80"), ("why", "tun0"), ("top", "count", "1")):
        code, _, err = bed.run(*NOBODY, "flowtun", *words)
        same(code, 2, words)
        has(err, "not permitted")
    same(states(bed), [("armed", "armed")])


@test
def other_user_namespace(bed):
    """root of another user namespace: nothing here; everything in its own"""
    armed(bed)
    code, _, err = bed.run("unshare", "-Ur", "flowtun", "flows")
    same(code, 2)
    has(err, "not permitted")
    same(bed.run("unshare", "-Ur", "flowtun", "set", "armed", "no")[0], 2)
    same(bed.run("unshare", "-Ur", "flowtun", "monitor")[0], 2)
    code, out, err = bed.run("unshare", "-Urn", "sh", "-c",
                             "flowtun -j flows && flowtun set armed no && flowtun get armed && flowtun -j tunnels")
    same((code, err), (0, ""))
    same(out.splitlines()[:2], ["[]", "no"])
    has(tool(bed, "get"), "armed yes")
    same(states(bed), [("armed", "armed")])


@test
def makes_namespaces(bed):
    """who may make namespaces, but not administer networks, still may"""
    tool(bed, "get")
    code, _, err = bed.run("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin", "unshare", "-n", "true")
    same((code, err), (0, ""))


@test
def netlink_ports(bed):
    """the module's netlink sockets have no port that a process may want"""
    tool(bed, "get")
    bind = "import os, socket as s; s.socket(s.AF_NETLINK, s.SOCK_RAW, %d).bind((os.getpid(), 0))"
    for family in (0, 12):                  # NETLINK_ROUTE, NETLINK_NETFILTER
        code, _, err = bed.run("unshare", "-n", "python3", "-c", bind % family)
        same((code, err), (0, ""))


@test
def namespaces(bed):
    """-n NETNS; a namespace sees its own only"""
    armed(bed)
    done = subprocess.run(["flowtun", "-n", "ftt-r", "-j", "flows"], capture_output=True, text=True, check=True)
    same(len(json.loads(done.stdout)), 1)
    done = subprocess.run(["flowtun", "-n", "ftt-c", "-j", "flows"], capture_output=True, text=True, check=True)
    same(json.loads(done.stdout), [])
    done = subprocess.run(["flowtun", "-n", "nosuch", "flows"], capture_output=True, text=True, check=False)
    same(done.returncode, 1)


MISUSE = (
    "", "nosuch", "set", "set armed", "set armed maybe", "set learn-after x", "set learn-after -1", "set select",
    "set select ct-mark", "set select ct-mark 1/", "set flow-limit 0", "set tunnel tun0", "set tunnel tun0 perhaps",
    "set tunnel a-name-that-is-too-long deny", "set tcp-timeout 99999999999", "get nosuch", "flows src", "flows src x",
    "flows nosuch 1", "flows sport 65536", "flows src 10.0.0.0/", "flows tunnel nosuch", "delete", "delete id",
    "delete id x", "delete udp 1.2.3.4 5.6.7.8", "why", "why udp", "why udp 1.2.3.4:1 x:2",
    "why udp 1.2.3.4:1 1.2.3.4:2 zone 65536", "conf", "conf load /nosuch", "stats --nosuch", "top interval 0",
    "top nosuch 1", "check me", "show me", "flush me", "monitor me", "devices a b", "-x",
    "flows reason " + "x" * 32, "flows reason " + "x" * 40000, "flows " + "sport 1 " * 4095,
)
REFUSED = (
    ("set learn-after 65536", "out of range"), ("set tcp-timeout 432001", "out of range"),
    ("set select ct-label 128", "a label's bit is less than 128"),
    ("set select ct-mark 0x10/0xf", "no mark can fit"), ("set tunnel nosuch default", "there is no such rule"),
    ("flows reason nosuch", "no counter has this name"), ("flows src 10.0.0.0/33", "prefix longer than an address"),
    ("set device a:b deny", "no device can have this name"), ("delete id 0", "no such connection"), ("delete reason nosuch", "no counter has this name"),
)


@test
def exit_codes(bed):
    """exit codes: 1 for what is typed wrong, 2 for what the kernel refuses, with its words"""
    before = tool(bed, "conf", "show")
    for line in MISUSE:
        tool(bed, *line.split(), code=1)
    for line, part in REFUSED:
        has(tool(bed, *line.split(), code=2), part)
    same(tool(bed, "conf", "show"), before)
    text = tool(bed, "--help")
    for verb in "show flows tunnels devices stats why monitor top get set flush delete conf check".split():
        has(text, "  %s" % verb)
    has(tool(bed, "-V"), "flowtun ")
    armed(bed)
    for line, what in (("stats --all >/dev/full", "a full disk"), ("flows >&-", "closed"), ("-j show >&-", "closed"),
                       ("get >&-", "closed"), ("get <&- >&-", "both closed")):
        code, _, err = bed.run("sh", "-c", "flowtun " + line)
        same((code, "flowtun: stdout: " in err), (2, True), "%s: %s: %s" % (line, what, err))


@test
def any_name(bed):
    """JSON: a device's name that is no UTF-8"""
    name = b"x\xff\xc3\xa4"
    with bed.router:
        subprocess.run([b"ip", b"link", b"add", b"name", name, b"type", b"ipip", b"local", b"192.0.2.1", b"remote", b"203.0.113.9"],
                       check=True)
        out = subprocess.run(["flowtun", "-j", "tunnels"], capture_output=True, check=True).stdout
    same("x\ufffd\u00e4" in [t["name"] for t in json.loads(out.decode())], True, out)


@test
def check(bed):
    """check: what is missing, and flowtables on the same devices"""
    Conn(bed, 1000).up()
    grades = {c["what"]: c["grade"] for c in read(bed, "check")}
    same({w: grades[w] for w in ("module", "version", "armed", "conntrack", "forwarding", "flowtable")},
         dict(module="ok", version="ok", armed="ok", conntrack="ok", forwarding="ok", flowtable="ok"))
    subprocess.run(["modprobe", "-qa", "nf_flow_table_inet"], check=False)
    bed.nft("table inet f { flowtable ft { hook ingress priority 0; devices = { lan0, und0 }; }; }")
    text = tool(bed, "check")
    has(text, "f/ft takes connections on lan0")
    has(text, "f/ft takes connections on und0")
    tool(bed, "set", "armed", "no")
    bed.shell("sysctl -qw net.ipv4.ip_forward=0")
    code, out, _ = bed.run("flowtun", "check")
    same(code, 2)
    has(out, "problem  armed")
    has(out, "problem  forwarding")


@test
def check_devices(bed):
    """check: forwarding by device, which is what the kernel asks"""
    b.net_sysctl(bed, "net.ipv4.ip_forward", 0)
    for dev in ("lan0", "tun0"):
        b.net_sysctl(bed, "net.ipv4.conf.%s.forwarding" % dev, 1)
    same(is_fast(bed, armed(bed)), True)
    code, out, _ = bed.run("flowtun", "check")
    same((code, "problem  forwarding" in out), (0, False), out)
    same(re.search(r"warning  forwarding   of IPv4 is on for 2 of \d+ devices only", out) is not None, True, out)
    b.net_sysctl(bed, "net.ipv4.ip_forward", 1)
    has(tool(bed, "check"), "ok       forwarding   is on for IPv4\n")
    b.net_sysctl(bed, "net.ipv6.conf.all.forwarding", 1)
    has(tool(bed, "check"), "ok       forwarding   is on for IPv4 and IPv6\n")


@test
def check_forced(bed):
    """check: IPv6 that is forwarded for a device's sake only, which is never fast"""
    kinds.Ip6.setup(bed)
    if not os.path.exists("/proc/sys/net/ipv6/conf/all/force_forwarding"):
        raise Skip("this kernel cannot")
    b.net_sysctl(bed, "net.ipv6.conf.all.forwarding", 0)
    for dev in ("lan0", "t6"):
        b.net_sysctl(bed, "net.ipv6.conf.%s.force_forwarding" % dev, 1)
    same(is_fast(bed, kinds.Ip6(bed, 1000).warm()), False)
    text = tool(bed, "check")
    same(re.search(r"warning  forwarding   of IPv6 is on for 2 of \d+ devices", text) is not None, True, text)
    has(tool(bed, "why", *kinds.Ip6(bed, 1000).words()), "force_forwarding")


@test
def completion(bed):
    """bash completion: verbs, words and values where they belong"""
    def complete(*words):
        script = ('source flowtun/flowtun.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _flowtun; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        return bed.run("bash", "-c", script, "-", "flowtun", *words)[1].split()

    same(complete("fl"), ["flows", "flush"])
    same(complete("-n", "ftt-r", "che"), ["check"])
    same(complete("flows", "s"), ["src", "sport", "state"])
    same(complete("flows", "state", "st"), ["stale"])
    same(complete("flows", "tunnel", "tun1"), ["tun1"])
    same(complete("set", "hook", ""), ["after", "before"])
    same(complete("set", "tunnel", "tun0", "d"), ["deny", "default"])
    same(complete("stats", "refuse_d"), ["refuse_denied"])
    same(complete("conf", ""), ["show", "load"])
