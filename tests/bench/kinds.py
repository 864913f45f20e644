# SPDX-License-Identifier: GPL-2.0
"""The tunnel kinds that are measured, and the router that they are measured on.

    [client] - [gateway] - lan0 (router) wan0 - [far end] - [server]
                              tun0 = tunnel over wan0

lan0 and wan0 are dummy devices with permanent neighbours, so nothing but the
router runs.
"""
import struct

import packet

LAN, WAN = "02:00:00:00:00:01", "02:00:00:00:00:02"
GATEWAY, FAR = "02:00:00:00:01:01", "02:00:00:00:01:02"
# By IP version of the packets inside.
CLIENT = {4: "10.3.1.2", 6: "fd03::2"}
SERVER = {4: "10.2.0.2", 6: "fd0a::2"}
# The tunnel's own address on the router.
LOCAL = {4: "10.9.0.1", 6: "fd09::1"}
# By IP version of the tunnel.
OUTER = {4: ("192.0.2.1", "192.0.2.2"), 6: ("fd02::1", "fd02::2")}
FOU_PORT, GUE_PORT, PEER_PORT = 5555, 5556, 40000

ROUTER = f"""
    ip link add lan0 address {LAN} type dummy
    ip link add wan0 address {WAN} type dummy
    ip link set lo up
    ip link set lan0 addrgenmode none arp on up
    ip link set wan0 addrgenmode none arp on up
    ip addr add 10.1.0.1/24 dev lan0
    ip addr add 192.0.2.1/24 dev wan0
    ip addr add fd01::1/64 dev lan0 nodad
    ip addr add fd02::1/64 dev wan0 nodad
    ip neigh add 10.1.0.2 lladdr {GATEWAY} dev lan0 nud permanent
    ip neigh add fd01::2 lladdr {GATEWAY} dev lan0 nud permanent
    ip neigh add 192.0.2.2 lladdr {FAR} dev wan0 nud permanent
    ip neigh add fd02::2 lladdr {FAR} dev wan0 nud permanent
    ip route add 10.3.0.0/16 via 10.1.0.2
    ip route add fd03::/64 via fd01::2
    sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    for dev in all lan0 wan0; do sysctl -qw net.ipv4.conf.$dev.rp_filter=0; done
"""
TUNNEL = """
    ip link set tun0 addrgenmode none up
    sysctl -qw net.ipv4.conf.tun0.rp_filter=0
    ip addr add 10.9.0.1/24 dev tun0
    ip addr add fd09::1/64 dev tun0 nodad
    ip route add 10.2.0.0/24 dev tun0
    ip route add fd0a::/64 dev tun0
"""


class Kind:
    """@make: words of "ip link add tun0"; @head: what is between outer and inner header"""

    def __init__(self, name, inner, outer, proto, make="", head=b"", before=""):
        self.name, self.inner, self.outer = name, inner, outer
        self.proto, self.make, self.head, self.before = proto, make, head, before

    def setup(self):
        """Shell commands for the router."""
        if not self.outer:
            return ROUTER + "ip route add 10.2.0.0/24 via 192.0.2.2\n"
        local, remote = OUTER[self.outer]
        make, _, rest = self.make.partition(" ")
        return ROUTER + self.before + \
            f"ip link add tun0 type {make} local {local} remote {remote} {rest}\n" + TUNNEL

    def wrap(self, inner, tail=0):
        """What the far end would send: @inner, of which @tail bytes follow elsewhere."""
        if not self.outer:
            return inner
        local, remote = OUTER[self.outer]
        payload = self.head + inner
        proto = self.proto
        if proto == packet.UDP:
            payload = struct.pack("!HHHH", PEER_PORT, self.port(), (8 + len(payload) + tail) & 0xffff, 0) + payload
        return packet.ip(remote, local, proto, payload, len(payload) + tail)

    def port(self):
        return GUE_PORT if self.head else FOU_PORT

    def overhead(self):
        """Bytes in front of the inner header."""
        return len(self.wrap(b""))

    def into(self, inner):
        return {"dev": "lan0", "out": "wan0", "frame": packet.ether(LAN, GATEWAY, inner), "inner": packet.ETH}

    def out_of(self, inner, tail=0):
        return {"dev": "wan0", "out": "lan0", "frame": packet.ether(WAN, FAR, self.wrap(inner, tail)),
                "inner": packet.ETH + self.overhead()}

    def order(self, where, data):
        """UDP between client and server with @data bytes, by direction."""
        client, server = CLIENT[self.inner], SERVER[self.inner]
        if where == "in":
            order = self.into(packet.udp(client, server, 1000, 2000, b"x" * data))
        else:
            order = self.out_of(packet.udp(server, client, 2000, 1000, b"x" * data))
        order.update(packet.flow_words(order["frame"], order["inner"], where == "out"))
        if where == "in":
            order["hash"] = 1
        elif self.proto == packet.UDP:
            order["level"] = 1
        return order

    def tcp(self, where, flags, seq, ack, gso=0, tail=0):
        """One TCP packet, or an aggregate of @tail bytes."""
        client, server = CLIENT[self.inner], SERVER[self.inner]
        if where == "in":
            order = self.into(packet.tcp(client, server, 1001, 2001, flags, seq, ack, tail=tail))
        else:
            order = self.out_of(packet.tcp(server, client, 2001, 1001, flags, seq, ack, tail=tail), tail)
        if gso:
            l4 = order["inner"] + (20 if self.inner == 4 else 40)
            tunnel = self.proto if where == "out" and self.outer else 0
            order.update(gso=gso, tail=tail, l4=l4, tunnel=tunnel)
        return order


GRE4, GRE6, KEYED = bytes.fromhex("00000800"), bytes.fromhex("000086dd"), bytes.fromhex("2000080000000007")
NO_LIMIT = "encaplimit none"
FOU = f"modprobe -q fou || true\nip fou add port {FOU_PORT} ipproto 4\n"
GUE = f"modprobe -q fou || true\nip fou add port {GUE_PORT} gue\n"

KINDS = {kind.name: kind for kind in (
    Kind("plain", 4, 0, 0),
    Kind("ipip", 4, 4, 4, "ipip"),
    Kind("sit", 6, 4, 41, "sit"),
    Kind("gre", 4, 4, 47, "gre", GRE4),
    Kind("gre+key", 4, 4, 47, "gre key 7", KEYED),
    Kind("ip6ip6", 6, 6, 41, "ip6tnl mode ip6ip6 " + NO_LIMIT),
    Kind("ip4ip6", 4, 6, 4, "ip6tnl mode ipip6 " + NO_LIMIT),
    Kind("ip6gre", 6, 6, 47, "ip6gre " + NO_LIMIT, GRE6),
    Kind("fou", 4, 4, 17, f"ipip encap fou encap-sport auto encap-dport {FOU_PORT}", b"", FOU),
    Kind("gue", 4, 4, 17, f"ipip encap gue encap-sport auto encap-dport {GUE_PORT}", b"\0\4\0\0", GUE),
)}
