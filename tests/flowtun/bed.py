# SPDX-License-Identifier: GPL-2.0
r"""A router with tunnels, and wires to send frames by.

    [client 10.1.0.2] -- lan0 (ftt-r) und0 -- [192.0.2.2, gateway; far end of
                          10.1.0.1    192.0.2.1    tun0: 203.0.113.2, 10.2.0.0/16;
                                                   of tun1: 203.0.113.3, 10.3.0.0/16]

The wires' ends have no addresses; neighbours are permanent.
"""
import os
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../diff"))
from harness import net  # noqa: E402

LAN, CLIENT = "02:00:00:00:01:01", "02:00:00:00:01:02"
UND, GATE = "02:00:00:00:02:01", "02:00:00:00:02:02"
RULES = """table ip flt {
    chain forward {
        type filter hook forward priority 0
        ct state invalid counter drop
        %s
        counter accept
    }
}
"""
SETUP = """
ip link add lan0 address {lan} type veth peer name c0 address {client} netns ftt-c
ip link add und0 address {und} type veth peer name f0 address {gate} netns ftt-f
ip link set lan0 up
ip link set und0 up
ip addr add 10.1.0.1/16 dev lan0
ip addr add 192.0.2.1/24 dev und0
ip neigh add 10.1.0.2 lladdr {client} dev lan0 nud permanent
ip neigh add 192.0.2.2 lladdr {gate} dev und0 nud permanent
ip route add 203.0.113.0/24 via 192.0.2.2
ip link add tun0 type ipip local 192.0.2.1 remote 203.0.113.2
ip link set tun0 up
ip route add 10.2.0.0/16 dev tun0
ip link add tun1 type ipip local 192.0.2.1 remote 203.0.113.3
ip link set tun1 up
ip route add 10.3.0.0/16 dev tun1
"""


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(src, dst, proto, payload, ttl=64, tos=0):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, 20 + len(payload), 1, 0x4000, ttl, proto, 0,
                       socket.inet_aton(src), socket.inet_aton(dst))
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def udp(src, dst, sport, dport, size=18):
    return ipv4(src, dst, 17, struct.pack("!HHHH", sport, dport, 8 + size, 0) + b"x" * size)


def tcp(src, dst, sport, dport, seq, ack, flags, size=0):
    body = b"y" * size
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 65535, 0, 0)
    pseudo = socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack("!HH", 6, len(head) + size)
    data = pseudo + head + body
    csum = checksum(data + b"\0" * (len(data) % 2))
    return ipv4(src, dst, 6, head[:16] + struct.pack("!H", csum) + head[18:] + body)


def ether(dst, src, packet, kind=0x800):
    return bytes.fromhex((dst + src).replace(":", "")) + struct.pack("!H", kind) + packet


def net_sysctl(bed, name, value):
    with bed.router:
        net.sysctl(name, value)


class Conn:
    """One connection from the client to a host behind a tunnel."""

    def __init__(self, bed, sport, dport=80, far="10.2.0.2", end="203.0.113.2", proto="udp"):
        self.bed, self.proto, self.far, self.end = bed, proto, far, end
        self.sport, self.dport = sport, dport
        self.seq = [1000, 2000]

    def words(self):
        return [self.proto, "10.1.0.2:%d" % self.sport, "%s:%d" % (self.far, self.dport)]

    def packet(self, way, flags=0x10, size=18):
        ends = [("10.1.0.2", self.sport), (self.far, self.dport)]
        (src, sport), (dst, dport) = ends if way == 0 else ends[::-1]
        if self.proto == "udp":
            return udp(src, dst, sport, dport, size)
        packet = tcp(src, dst, sport, dport, self.seq[way], self.seq[1 - way] if flags & 0x10 else 0, flags, size)
        self.seq[way] += size + bool(flags & 3)
        return packet

    def up(self, **fields):
        self.bed.client.send(ether(LAN, CLIENT, self.packet(0, **fields)))

    def down(self, **fields):
        outer = ipv4(self.end, "192.0.2.1", 4, self.packet(1, **fields))
        self.bed.far.send(ether(UND, GATE, outer))

    def large(self, size=4000, segment=1000):
        """A TCP packet up that a device is still to cut into segments."""
        packet = self.packet(0, size=size)
        ends = packet[12:20] + struct.pack("!HH", 6, 20 + size)
        packet = packet[:36] + struct.pack("!H", ~checksum(ends) & 0xffff) + packet[38:]
        header = struct.pack("=BBHHHH", 1, 1, 14 + 40, segment, 14 + 20, 16)
        self.bed.client.send_raw(header + ether(LAN, CLIENT, packet))

    def talk(self, times=1):
        for _ in range(times):
            self.up()
            self.down()

    def warm(self):
        """Enough for both directions to be armed, if they can be."""
        if self.proto == "tcp":
            self.up(flags=2, size=0)
            self.down(flags=0x12, size=0)
            self.up(size=0)
        self.talk(2)
        time.sleep(0.1)      # a device's hook is put there by a worker
        self.talk(3)
        return self


class Wire:
    """A device's end, to send by."""

    def __init__(self, ns, dev):
        with ns:
            net.up(dev)
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self.sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)      # SO_RCVBUFFORCE
            self.sock.bind((dev, 0))
            self.large = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self.large.setsockopt(net.SOL_PACKET, net.PACKET_VNET_HDR, 1)
            self.large.bind((dev, 0))

    def send(self, frame):
        self.sock.send(frame)

    def send_raw(self, frame):
        """With a virtio header in front."""
        self.large.send(frame)


class Bed:
    def __init__(self):
        self.router = net.Netns("ftt-r")
        self.ends = [net.Netns("ftt-c"), net.Netns("ftt-f")]
        with self.router:
            net.shell("set -e" + SETUP.format(lan=LAN, client=CLIENT, und=UND, gate=GATE))
            for dev in ("all", "default", "lan0", "und0", "tun0", "tun1"):
                net.sysctl("net.ipv4.conf.%s.rp_filter" % dev, 0)
            net.sysctl("net.ipv4.ip_forward", 1)
            net.sysctl("net.netfilter.nf_conntrack_acct", 1)
        self.client, self.far = Wire(self.ends[0], "c0"), Wire(self.ends[1], "f0")
        self.rules("")

    def rules(self, text):
        """In the forward chain, before all else is accepted."""
        with self.router:
            net.run("nft", "-f", "-", stdin="flush ruleset\n" + RULES % text)

    def nft(self, text):
        with self.router:
            net.run("nft", "-f", "-", stdin=text)

    def help_ftp(self, port):
        """Connections to that port get conntrack's helper for FTP."""
        self.nft("table ip h { ct helper f { type \"ftp\" protocol tcp; }; chain c { type filter hook forward priority -1; "
                 "tcp dport %d ct helper set \"f\"; }; }" % port)

    def shell(self, line, check=True):
        with self.router:
            return net.shell(line, check)

    def run(self, *argv, stdin=None):
        """(exit code, stdout, stderr) of a command in the router."""
        with self.router:
            done = subprocess.run(argv, input=stdin, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.returncode, done.stdout, done.stderr

    def start(self, *argv):
        with self.router:
            return subprocess.Popen(argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def read(self, path):
        with self.router, open(path, encoding="ascii") as file:
            return file.read()

    def close(self):
        for ns in [self.router] + self.ends:
            ns.close()
