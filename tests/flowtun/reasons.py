# SPDX-License-Identifier: GPL-2.0
"""Every reason of src/stats.h for which a packet or a connection is slow: provoked by
real traffic, and then `flowtun why` has to name it, with its meaning and what to do.
"""
import os
import re
import socket
import struct
import subprocess
import time

import bed as b
import kinds
from bed import Conn
from cases import Skip, armed, has, is_fast, read, same, settled, stat, states, tool, until

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS, ROWS, IMPOSSIBLE = [], {}, {}
SECONDS = 8


def reason(name):
    """A row: what provokes the reason. Returns a connection, whose tuple is asked for; or a
    tunnel's name; or a function that does it once more and returns one of these.
    """
    def add(function):
        assert name not in ROWS
        ROWS[name] = function
        return function

    return add


# Why no program can do it; each is in the fast path for good measure.
# ---- packets that come before any connection is looked for ----

def raw(bed, packet, **kind):
    bed.client.send(b.ether(b.LAN, b.CLIENT, packet, **kind))
    return "tun0"


@reason("pass_irregular")
def irregular(bed):
    conn = armed(bed)
    return raw(bed, struct.pack("!HH", 5, 0x800) + conn.packet(0), kind=0x8100)


@reason("pass_otherhost")
def otherhost(bed):
    conn = armed(bed)
    bed.client.send(b.ether("02:00:00:00:99:99", b.CLIENT, conn.packet(0)))
    return conn


@reason("pass_header")
def header(bed):
    return raw(bed, b"\x44" + armed(bed).packet(0)[1:])


@reason("pass_fragment")
def fragment(bed):
    packet = bytearray(armed(bed).packet(0))
    packet[6:8], packet[10:12] = b"\x20\0", b"\0\0"
    packet[10:12] = struct.pack("!H", b.checksum(bytes(packet[:20])))
    return raw(bed, bytes(packet))


@reason("pass_options")
def options(bed):
    packet = armed(bed).packet(0)
    head = bytearray(b"\x46" + packet[1:20] + b"\1\1\1\0")
    head[2:4], head[10:12] = struct.pack("!H", len(packet) + 4), b"\0\0"
    head[10:12] = struct.pack("!H", b.checksum(bytes(head)))
    return raw(bed, bytes(head) + packet[20:])


@reason("pass_encap")
def encap(bed):
    kinds.GreKey.setup(bed)
    conn = kinds.many(kinds.GreKey(bed, 1000).warm(), lambda: is_fast(bed, conn_of(bed)), "armed")
    packet = struct.pack("!HH", 0x4000, 0x800) + bytes(8) + conn.packet(1)
    bed.far.send(b.ether(b.UND, b.GATE, b.ipv4(conn.end, "192.0.2.1", 47, packet)))
    return "tk"


def conn_of(bed):
    return kinds.GreKey(bed, 1000)


@reason("pass_ip_csum")
def ip_csum(bed):
    packet = armed(bed).packet(0)
    return raw(bed, packet[:10] + b"\x12\x34" + packet[12:])


@reason("refuse_proto")
def proto(bed):
    armed(bed)
    echo = struct.pack("!BBHHH", 8, 0, 0, 1, 1)
    return raw(bed, b.ipv4("10.1.0.2", "10.2.0.2", 1, echo[:2] + struct.pack("!H", b.checksum(echo)) + echo[4:]))


# ---- packets of a connection that is fast otherwise ----

def resent(bed, conn, change):
    packet = bytearray(conn.packet(0))
    change(packet)
    packet[10:12] = b"\0\0"
    packet[10:12] = struct.pack("!H", b.checksum(bytes(packet[:20])))
    raw(bed, bytes(packet))
    return conn


@reason("pass_l4_csum")
def l4_csum(bed):
    return resent(bed, settled(bed), lambda p: p.__setitem__(slice(26, 28), b"\x12\x34"))


def ttl_one(bed, conn):
    return resent(bed, conn, lambda p: p.__setitem__(8, 1))


@reason("pass_ttl")
def ttl(bed):
    return ttl_one(bed, settled(bed))


@reason("pass_dscp")
def dscp(bed):
    return resent(bed, settled(bed), lambda p: p.__setitem__(1, 0x28))


@reason("pass_mtu")
def mtu(bed):
    conn = settled(bed)
    conn.up(size=1460)
    return conn


@reason("pass_tcp_flags")
def tcp_flags(bed):
    conn = armed(bed, proto="tcp")
    conn.up(flags=0x12, size=0)
    return conn


@reason("pass_window")
def window(bed):
    conn = armed(bed, proto="tcp")
    conn.seq[0] += 1 << 28
    conn.up()
    return conn


def kind(bed, cls, sport=1000, **setup):
    """An armed connection of this kind, past the packet that makes it assured."""
    cls.setup(bed, **setup)
    conn = cls(bed, sport).warm()
    kinds.many(conn, lambda: is_fast(bed, conn), "armed")
    time.sleep(2.1)
    conn.talk(3)
    return conn


@reason("pass_udp_csum")
def udp_csum(bed):
    conn = kind(bed, kinds.FouCsum)
    conn.down(wrong=0x0101)
    return conn


@reason("pass_gre_csum")
def gre_csum(bed):
    conn = kind(bed, kinds.GreCsum)
    conn.down(wrong=0x0101)
    return conn


@reason("pass_gre_seq")
def gre_seq(bed):
    conn = kind(bed, kinds.GreSeq)
    conn.down(seq=7)
    return conn


@reason("pass_ecn")
def ecn(bed):
    conn = settled(bed)
    outer = b.ipv4(conn.end, "192.0.2.1", 4, conn.packet(1), tos=3)
    bed.far.send(b.ether(b.UND, b.GATE, outer))
    return conn


@reason("pass_label")
def label(bed):
    kinds.Ip6.setup(bed, more="flowlabel inherit")
    conn = kinds.Ip6(bed, 1000)
    conn.label = 0x12345
    kinds.many(conn.warm(), lambda: is_fast(bed, conn), "armed")
    time.sleep(2.1)
    conn.talk(3)
    conn.up(label=0)
    return conn


@reason("pass_forwarding")
def forwarding(bed):
    conn = kind(bed, kinds.Ip6)
    b.net_sysctl(bed, "net.ipv6.conf.all.forwarding", 0)
    conn.up()
    return conn


@reason("pass_gso")
def gso(bed):
    bed.shell("ethtool -K tun0 tso off")
    conn = settled(bed, proto="tcp")
    conn.large()
    return conn


@reason("pass_dying")
def dying(bed):
    conn = settled(bed)
    bed.shell("conntrack -D -s 192.0.2.1 -d 203.0.113.2 || conntrack -D -s 203.0.113.2 -d 192.0.2.1")
    conn.up()
    return conn


@reason("pass_assured")
def assured(bed):
    conn = armed(bed)
    time.sleep(2.1)
    conn.up()
    return conn


@reason("pass_stale")
def stale(bed):
    conn = settled(bed)
    conn.talk(1)

    def once():
        bed.nft("add rule ip flt forward counter")
        conn.up()
        return conn

    return once


@reason("pass_watched")
def watched(bed):
    conn = settled(bed)
    with bed.router:
        bed.tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    bed.tap.bind(("tun0", 3))
    conn.talk(1)
    return conn


def neighbour_of_tunnel(bed, is_now):
    conn = kind(bed, kinds.GreNbma)
    bed.shell("ip neigh replace 10.4.0.2 dev tn " + is_now)
    conn.up()
    return conn


@reason("pass_neigh")
def neigh(bed):
    return neighbour_of_tunnel(bed, "lladdr 203.0.113.5 nud permanent")


@reason("pass_tunnel_neigh")
def tunnel_neigh(bed):
    return neighbour_of_tunnel(bed, "lladdr 203.0.113.4 nud stale")


@reason("pass_tunnel_error")
def tunnel_error(bed):
    conn = settled(bed)
    outer = b.ipv4("192.0.2.1", conn.end, 4, conn.packet(0))
    body = struct.pack("!BBHI", 3, 1, 0, 0) + outer[:28]
    icmp = body[:2] + struct.pack("!H", b.checksum(body)) + body[4:]
    bed.far.send(b.ether(b.UND, b.GATE, b.ipv4("192.0.2.2", "192.0.2.1", 1, icmp)))
    conn.up()
    return conn


# ---- proofs that could not be made yet ----

@reason("wait_unseen")
def unseen(bed):
    tool(bed, "stats")      # the module is there
    conn = Conn(bed, 1000)
    conn.talk(1)
    conn.up()
    return conn


@reason("wait_merged")
def merged(bed):
    bed.shell("ethtool -K tun0 tso off gso off")
    conn = Conn(bed, 1000, proto="tcp")
    conn.up(flags=2, size=0)
    conn.down(flags=0x12, size=0)
    conn.up(size=0)
    time.sleep(0.2)

    def once():
        conn.large()
        return conn

    return once


@reason("wait_neigh")
def neigh(bed):
    bed.shell("ip neigh del 192.0.2.2 dev und0")
    return Conn(bed, 1000).warm()


@reason("wait_change")
def new_outer_entry(bed):
    # Loaded after conntrack: its hook comes before the one that confirms entries.
    subprocess.run(["rmmod", "nf_flowtable_tun"], check=True)
    conn = settled(bed)

    def once():
        bed.shell("conntrack -D -p 4")
        conn.up()
        return conn

    return once


@reason("wait_unselected")
def unselected(bed):
    tool(bed, "set", "select", "ct-mark", "1")
    return Conn(bed, 1000).warm()


@reason("wait_unassured")
def unassured(bed):
    tool(bed, "set", "assured", "yes")
    return Conn(bed, 1000).warm()


@reason("wait_packets")
def few_packets(bed):
    tool(bed, "set", "learn-after", "1000")
    return Conn(bed, 1000).warm()


@reason("wait_tuple")
def same_tuple(bed):
    conn = settled(bed)

    def once():
        bed.shell("conntrack -D -p udp --orig-port-src 1000", check=False)
        conn.talk(2)
        return conn

    return once


# ---- connections that stay slow ----

@reason("refuse_denied")
def denied(bed):
    tool(bed, "set", "tunnel", "tun0", "deny")
    return Conn(bed, 1000).warm()


@reason("refuse_limit")
def limit(bed):
    armed(bed, 999)
    tool(bed, "set", "flow-limit", "1")
    return Conn(bed, 1000).warm()


@reason("refuse_owned")
def owned(bed):
    bed.rules("""ip protocol udp flow add @ft
    }
    flowtable ft {
        hook ingress priority 0
        devices = { lan0, und0 }
    }
    chain unused {""")
    return Conn(bed, 1000).warm()


@reason("refuse_helper")
def helper(bed):
    bed.help_ftp(80)
    return Conn(bed, 1000, proto="tcp").warm()


@reason("refuse_route")
def route(bed):
    """By a next hop of the other family."""
    kinds.enable_ipv6(bed)
    bed.shell("ip -6 neigh add fe80::2 lladdr %s dev und0 nud permanent; "
              "ip route replace 203.0.113.0/24 via inet6 fe80::2 dev und0" % b.GATE)
    return Conn(bed, 1000).warm()


@reason("refuse_ipsec")
def ipsec(bed):
    ends = "src 192.0.2.1 dst 203.0.113.2"
    bed.shell("set -e; ip xfrm state add %s proto esp spi 0x101 reqid 1 mode transport auth digest_null '' "
              "enc 'ecb(cipher_null)' ''; ip xfrm policy add dir out %s proto 4 tmpl %s proto esp reqid 1 mode transport"
              % (ends, ends, ends))
    return Conn(bed, 1000).warm()


HAIRPIN = ["udp", "10.2.0.2:1000", "10.2.0.3:80"]


def hairpin_talk(bed, size=18):
    """Both ends are behind the tunnel."""
    for packet in (b.udp("10.2.0.2", "10.2.0.3", 1000, 80, size), b.udp("10.2.0.3", "10.2.0.2", 80, 1000, size)):
        bed.far.send(b.ether(b.UND, b.GATE, b.ipv4("203.0.113.2", "192.0.2.1", 4, packet)))


@reason("refuse_hairpin")
def hairpin(bed):
    def known():
        hairpin_talk(bed)
        return states(bed)

    until("known", known)
    return HAIRPIN


@reason("pass_redirect")
def redirect(bed):
    """By packets that a rule drops later: others would have the connection refused at once."""
    bed.rules("ip length 200 drop")
    for dev in ("all", "tun0"):
        b.net_sysctl(bed, "net.ipv4.conf.%s.send_redirects" % dev, 0)

    def fast():
        hairpin_talk(bed)
        return states(bed) == [("armed", "armed")]

    until("armed", fast)
    b.net_sysctl(bed, "net.ipv4.conf.tun0.send_redirects", 1)
    hairpin_talk(bed, 172)
    return HAIRPIN


@reason("refuse_vrf")
def vrf(bed):
    if bed.run("sh", "-c", "modprobe -q vrf; ip link add v0 type vrf table 10")[0]:
        raise Skip("this kernel has no VRF devices")
    bed.shell("set -e; ip link set v0 up; ip link set lan0 master v0; ip link set tun0 master v0; "
              "ip neigh replace 10.1.0.2 lladdr %s dev lan0 nud permanent; ip route add 10.2.0.0/16 dev tun0 vrf v0" % b.CLIENT)
    return Conn(bed, 1000).warm()


@reason("refuse_shared")
def shared(bed):
    if bed.run("sh", "-c", "modprobe -q macvlan; ip link add link lan0 name source0 type macvlan mode source")[0]:
        raise Skip("this kernel has no macvlan devices")
    return Conn(bed, 1000).warm()


@reason("refuse_tunnel")
def remote_checksum(bed):
    bed.shell("modprobe -q fou; ip route del 10.2.0.0/16; ip link del tun0; ip link add tun0 type ipip local 192.0.2.1 remote 203.0.113.2 "
              "encap gue encap-sport auto encap-dport 6080 encap-remcsum; ip link set tun0 up; ip route add 10.2.0.0/16 dev tun0")
    return Conn(bed, 1000).warm()


@reason("refuse_metadata")
def metadata(bed):
    bed.shell("modprobe -qa sch_ingress cls_matchall act_tunnel_key; ip route del 10.2.0.0/16; ip link del tun0;"
              "ip link add tun0 type ipip external; ip link set tun0 up; ip route add 10.2.0.0/16 dev tun0; tc qdisc add dev tun0 clsact;"
              "tc filter add dev tun0 egress matchall action tunnel_key set src_ip 192.0.2.1 dst_ip 203.0.113.2 id 0")
    return Conn(bed, 1000).warm()


@reason("refuse_nbma")
def nbma(bed):
    """It is dropped in the tunnel; answers come by the other one."""
    kinds.enable_ipv6(bed)
    bed.shell("set -e\n" + kinds.UNDERLAY6 + """ip link add tn type ip6gre local 2001:db8:1::1
ip link set tn up
ip route add 10.4.0.0/16 dev tn""")
    return Conn(bed, 1000, far="10.4.0.2").warm()


@reason("refuse_netns")
def netns(bed):
    """The tunnel's device is in the client's namespace, which is the router for once: what lan0
    sends goes there by c0, and on by tun0, whose underlay is und0.
    """
    bed.shell("ip link set tun0 netns ftt-c")
    far, lines = bed.ends[0], """set -e
ip link set tun0 up
ip addr add 10.1.0.2/16 dev c0
ip neigh add 10.1.0.1 lladdr {lan} dev c0 nud permanent
ip route add 10.9.0.0/16 via 10.1.0.1
ip route add 10.2.0.0/16 dev tun0""".format(lan=b.LAN)
    with far:
        b.net.shell(lines)
        for name in ("ip_forward", "conf.all.rp_filter", "conf.c0.rp_filter", "conf.tun0.rp_filter"):
            b.net.sysctl("net.ipv4." + name, int(name == "ip_forward"))
        b.net.run("nft", "-f", "-", stdin=b.RULES % "")
    wire = b.Wire(bed.router, "lan0")
    for _ in range(3):
        wire.send(b.ether(b.CLIENT, b.LAN, b.udp("10.9.0.1", "10.2.0.2", 1000, 80)))
        outer = b.ipv4("203.0.113.2", "192.0.2.1", 4, b.udp("10.2.0.2", "10.9.0.1", 80, 1000))
        bed.far.send(b.ether(b.UND, b.GATE, outer))
    return ["-n", "ftt-c", "udp", "10.9.0.1:1000", "10.2.0.2:80"]


@reason("refuse_mismatch")
def mismatch(bed):
    bed.rules("ip ttl set 33")
    conn = Conn(bed, 1000).warm()
    conn.talk(3)
    return conn


# ---- no memory ----

class Failing:
    """Allocations from one slab cache fail, those that may not sleep."""

    def __init__(self, cache):
        self.where = "/sys/kernel/debug/failslab/"
        subprocess.run(["mount", "-t", "debugfs", "debugfs", "/sys/kernel/debug"], check=False, stderr=subprocess.DEVNULL)
        caches = cache if isinstance(cache, tuple) else (cache,)
        self.switches = ["/sys/kernel/slab/%s/failslab" % c for c in caches]
        self.switches = [s for s in self.switches if os.path.exists(s)]
        if not self.switches or not os.path.isdir(self.where):
            raise Skip("this kernel cannot make allocations fail")

    def put(self, value):
        for name, on in (("ignore-gfp-wait", 1), ("cache-filter", 1), ("task-filter", 0), ("interval", 1), ("verbose", 0),
                         ("probability", 100 * value), ("times", -1)):
            with open(self.where + name, "w", encoding="ascii") as file:
                file.write(str(on))
        for switch in self.switches:
            with open(switch, "w", encoding="ascii") as file:
                file.write(str(value))

    def __enter__(self):
        self.put(1)

    def __exit__(self, *exc):
        self.put(0)


@reason("refuse_nomem")
def no_path(bed):
    armed(bed, 999)
    with Failing("ftun_path"):
        return Conn(bed, 1000).warm()


# Where the head of a small packet comes from differs between kernels.
HEADS = ("skbuff_small_head", ":0000704", ":0000640", "kmalloc-512", "kmalloc-1k", "kmalloc-256")


@reason("pass_nomem")
def no_room(bed):
    conn = settled(bed)
    with Failing(HEADS):
        conn.up()
    return conn


# ---- the table ----

def names():
    """Those in src/stats.h that are reasons."""
    with open(os.path.join(HERE, "../../src/stats.h"), encoding="ascii") as file:
        found = re.findall(r"^\s*X\((\w+),", file.read(), re.M)
    return [n for n in found if n.startswith(("pass_", "wait_", "refuse_"))]


def every_reason(bed):
    """why: a row for every reason that there is"""
    same(sorted(names()), sorted(list(ROWS) + list(IMPOSSIBLE)), "rows of reasons.py")
    same([n for n in IMPOSSIBLE if n in ROWS or not IMPOSSIBLE[n]], [])
    same(stat(bed, "miss") >= 0, True)


def ask(what):
    """Arguments of flowtun before and after the verb"""
    if isinstance(what, str):
        return [], [what]
    words = what.words() if isinstance(what, Conn) else what
    return (words[:2], words[2:]) if words[0] == "-n" else ([], words)


def said(data):
    """Everything in the answer that has a reason."""
    if isinstance(data, list):
        return [entry for part in data for entry in said(part)]
    if not isinstance(data, dict):
        return []
    return ([data] if "reason" in data else []) + [entry for part in data.values() for entry in said(part)]


def named(bed, name, what):
    before, words = ask(what)
    data = read(bed, *before, "why", *words)
    found = [entry for entry in said(data) if entry["reason"] == name]
    if not found:
        return "%s is not in %r" % (name, data)
    for entry in found:
        same((bool(entry["text"]), bool(entry["advice"])), (True, True), "%r" % entry)
    text = tool(bed, *before, "why", *words)
    has(text, "    %s: %s\n    %s" % (name, found[0]["text"], found[0]["advice"]))
    return None


def why_reason(name, provoke):
    def check(bed):
        subprocess.run(["modprobe", "-qa", "nf_conntrack_ftp", "nft_flow_offload", "nf_flow_table_inet", "esp4", "ip_gre"],
                       check=False)
        what = provoke(bed)
        for _ in range(SECONDS * 5):
            error = named(bed, name, what() if callable(what) else what)
            if not error:
                break
            time.sleep(0.2)
        if error:
            raise AssertionError(error + "\n" + tool(bed, "stats"))

    check.__name__ = "why_" + name
    check.__doc__ = "why: names " + name
    return check


def disarmed(bed):
    """why: says that nothing is learned while it is off"""
    tool(bed, "set", "armed", "no")
    same(named(bed, "flow_ended_disarmed", Conn(bed, 1000).warm()), None)


TESTS += [every_reason] + [why_reason(*row) for row in ROWS.items()] + [disarmed]
