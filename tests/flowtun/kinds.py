# SPDX-License-Identifier: GPL-2.0
"""Other tunnels than the bed's two: IPv6 inside and outside, GRE with its options, FOU.

Each is a class of connections; setup() makes the tunnel in a bed's router.
"""
import socket
import struct
import time

import bed as b

UNDERLAY6 = """
ip -6 addr add 2001:db8:1::1/64 dev und0 nodad
ip -6 neigh add 2001:db8:1::2 lladdr {gate} dev und0 nud permanent
ip -6 route add 2001:db8:f::/48 via 2001:db8:1::2
""".format(gate=b.GATE)
LAN6 = """
ip -6 addr add fd01::1/64 dev lan0 nodad
ip -6 neigh add fd01::2 lladdr {client} dev lan0 nud permanent
""".format(client=b.CLIENT)
RULES6 = """table ip6 flt {
    chain forward { type filter hook forward priority 0; ct state invalid counter drop; counter accept; }
}
"""


def ipv6(src, dst, proto, payload, label=0, hops=64, tos=0):
    return struct.pack("!IHBB", 6 << 28 | tos << 20 | label, len(payload), proto, hops) + \
        socket.inet_pton(socket.AF_INET6, src) + socket.inet_pton(socket.AF_INET6, dst) + payload


def udp6(src, dst, sport, dport, size=18, label=0):
    data = struct.pack("!HHHH", sport, dport, 8 + size, 0) + b"z" * size
    ends = socket.inet_pton(socket.AF_INET6, src) + socket.inet_pton(socket.AF_INET6, dst)
    csum = b.checksum(ends + struct.pack("!IxxxB", len(data), 17) + data + b"\0" * (len(data) % 2)) or 0xffff
    return ipv6(src, dst, 17, data[:6] + struct.pack("!H", csum) + data[8:], label)


def gre(payload, key=None, seq=None, csum=False, proto=0x800, wrong=0):
    """With a checksum that is wrong by as much, if one is wanted."""
    flags = (0x8000 if csum else 0) | (0x2000 if key is not None else 0) | (0x1000 if seq is not None else 0)
    options = struct.pack("!I", key) if key is not None else b""
    options += struct.pack("!I", seq) if seq is not None else b""
    head = struct.pack("!HH", flags, proto)
    if not csum:
        return head + options + payload
    data = head + bytes(4) + options + payload
    found = b.checksum(data + b"\0" * (len(data) % 2))
    return head + struct.pack("!HH", found ^ wrong, 0) + options + payload


def udp_header(src, dst, sport, dport, payload, wrong=0):
    """With its checksum, wrong by as much."""
    data = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    ends = socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack("!HH", 17, len(data))
    found = b.checksum(ends + data + b"\0" * (len(data) % 2)) or 0xffff
    return data[:6] + struct.pack("!H", found ^ wrong) + data[8:]


class Kind(b.Conn):
    """A connection in a tunnel of its own, 10.N.0.0/16 behind it."""
    setup_lines, net, dev = "", 4, ""
    dst6 = False

    def __init__(self, bed, sport, **fields):
        fields.setdefault("far", "10.%d.0.2" % self.net)
        fields.setdefault("end", "203.0.113.%d" % self.net)
        super().__init__(bed, sport, **fields)

    @classmethod
    def setup(cls, bed, **words):
        bed.shell("set -e\n" + cls.setup_lines.format(**words))
        if cls.dev:
            bed.shell("ip link set %s up; ip route add 10.%d.0.0/16 dev %s" % (cls.dev, cls.net, cls.dev))
            b.net_sysctl(bed, "net.ipv4.conf.%s.rp_filter" % cls.dev, 0)

    def outer(self, packet, **fields):
        raise NotImplementedError

    def down(self, outer_tos=0, wrong=0, seq=None, **fields):
        packet = self.packet(1, **fields)
        how = {k: v for k, v in (("tos", outer_tos), ("wrong", wrong), ("seq", seq)) if v}
        self.bed.far.send(b.ether(b.UND, b.GATE, self.outer(packet, **how)))


class GreKey(Kind):
    setup_lines = "ip link add tk type gre local 192.0.2.1 remote 203.0.113.4 key 77 {more}"
    dev = "tk"
    options = {}

    @classmethod
    def setup(cls, bed, more="", **words):
        super().setup(bed, more=more, **words)

    def outer(self, packet, **how):
        how = dict(self.options, **how)
        return b.ipv4(self.end, "192.0.2.1", 47, gre(packet, key=77, **how))


class GreCsum(GreKey):
    setup_lines = "ip link add tk type gre local 192.0.2.1 remote 203.0.113.4 key 77 csum {more}"
    options = dict(csum=True)


class GreSeq(GreKey):
    setup_lines = "ip link add tk type gre local 192.0.2.1 remote 203.0.113.4 key 77 seq {more}"

    def __init__(self, bed, sport, **fields):
        super().__init__(bed, sport, **fields)
        self.number = 100

    def down(self, seq=None, **fields):
        self.number += seq is None
        super().down(seq=seq if seq is not None else self.number, **fields)


class GreNbma(GreKey):
    """The other end is a neighbour's business."""
    setup_lines = """ip link add tn type gre local 192.0.2.1 key 77 {more}
ip neigh add 10.4.0.2 lladdr 203.0.113.4 dev tn nud permanent"""
    dev = "tn"


class Fou(Kind):
    """UDP around it, with a checksum if setup() says so."""
    setup_lines = """modprobe -q fou || true
ip fou add port 5555 ipproto 4
ip link add tf type ipip local 192.0.2.1 remote 203.0.113.5 encap fou encap-sport 4444 encap-dport 5555 {more}"""
    net, dev = 5, "tf"
    csum = False

    @classmethod
    def setup(cls, bed, **words):
        super().setup(bed, more="encap-csum" if cls.csum else "noencap-csum", **words)

    def outer(self, packet, wrong=0):
        data = udp_header(self.end, "192.0.2.1", 4444, 5555, packet, wrong)
        if not self.csum:
            data = data[:6] + b"\0\0" + data[8:]
        return b.ipv4(self.end, "192.0.2.1", 17, data)


class FouCsum(Fou):
    csum = True


class Ip6(Kind):
    """IPv6 in IPv6."""
    setup_lines = UNDERLAY6 + LAN6 + """
ip link add t6 type ip6tnl mode any local 2001:db8:1::1 remote 2001:db8:f::2 encaplimit none {more}
ip link set t6 up
ip -6 route add fd02::/64 dev t6"""
    def __init__(self, bed, sport, **fields):
        super().__init__(bed, sport, far="fd02::2", end="2001:db8:f::2", **fields)
        self.label = 0

    @classmethod
    def setup(cls, bed, more="", **words):
        bed.shell("modprobe -q ip6_tunnel; true")
        enable_ipv6(bed)
        super().setup(bed, more=more, **words)
        b.net_sysctl(bed, "net.ipv6.conf.all.forwarding", 1)
        bed.nft(RULES6)

    def words(self):
        return ["udp", "[fd01::2]:%d" % self.sport, "[%s]:%d" % (self.far, self.dport)]

    def packet(self, way, size=18, label=None):
        ends = [("fd01::2", self.sport), (self.far, self.dport)]
        (src, sport), (dst, dport) = ends if way == 0 else ends[::-1]
        return udp6(src, dst, sport, dport, size, self.label if label is None else label)

    def up(self, **fields):
        self.bed.client.send(b.ether(b.LAN, b.CLIENT, self.packet(0, **fields), 0x86dd))

    def down(self, **fields):
        outer = ipv6(self.end, "2001:db8:1::1", 41, self.packet(1, **fields))
        self.bed.far.send(b.ether(b.UND, b.GATE, outer, 0x86dd))


def enable_ipv6(bed):
    """The harness has it off; link-local addresses would only make noise."""
    for name, value in (("addr_gen_mode", 1), ("disable_ipv6", 0)):
        for dev in ("default", "lan0", "und0", "all"):
            b.net_sysctl(bed, "net.ipv6.conf.%s.%s" % (dev, name), value)


def many(conn, check, what):
    """Traffic until the check holds; a FOU port is guessed from the first packets."""
    for _ in range(40):
        if check():
            return conn
        conn.talk(1)
        time.sleep(0.05)
    raise AssertionError("never: " + what)
