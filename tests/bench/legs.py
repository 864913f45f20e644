# SPDX-License-Identifier: GPL-2.0
"""Tunnels that the module does not carry, as the other side of the router:

    [client] - [gateway] - lan0 (router) wan0 - [far end] - [server], by tun0
                                leg0 over wan0, too - [peer]

Packets are injected as the far end would send them, where that is possible without
keys: IPsec is there without a cipher. WireGuard, which hands its packets to other
threads, is not: what an injector waits for is the least of what it costs.
"""
import struct

import kinds
import packet

LEG, PEER = "02:00:00:00:00:03", "02:00:00:00:01:03"
HOST = "10.5.0.2"       # behind leg0
# Not the IPIP tunnel's other end, whose packets VTI would take for its own.
LOCAL, REMOTE = kinds.OUTER[4][0], "192.0.2.3"
NET = 7                 # VXLAN's and GENEVE's number
SPI_OUT, SPI_IN = 0x201, 0x202

SETUP = """
    ip neigh add %s lladdr %s dev wan0 nud permanent
    ip link add leg0 {make}
    ip link set leg0 addrgenmode none mtu 1400 up
    sysctl -qw net.ipv4.conf.leg0.rp_filter=0
    ip addr add 10.5.0.1/24 dev leg0
""" % (REMOTE, kinds.FAR)
NEIGHBOUR = f"ip link set leg0 address {LEG}\nip neigh add {HOST} lladdr {PEER} dev leg0 nud permanent\n"
NULL = "auth digest_null '' enc 'ecb(cipher_null)' ''"


def ipsec(key):
    """States and policies of the router's."""
    lines = []
    for src, dst, spi, dirs in ((LOCAL, REMOTE, SPI_OUT, ["out"]), (REMOTE, LOCAL, SPI_IN, ["in", "fwd"])):
        lines.append(f"ip xfrm state add src {src} dst {dst} proto esp spi {spi} reqid 7 mode tunnel {NULL} {key}")
        lines += [f"ip xfrm policy add src 0.0.0.0/0 dst 0.0.0.0/0 dir {dir_} {key} "
                  f"tmpl src {src} dst {dst} proto esp reqid 7 mode tunnel" for dir_ in dirs]
    return "\n".join(lines) + "\n"


def udp(port, head, inner):
    """@inner as the peer's Ethernet frame below UDP."""
    payload = head + packet.ether(LEG, PEER, inner)
    return packet.ip(REMOTE, LOCAL, packet.UDP, struct.pack("!HHHH", 40000, port, 8 + len(payload), 0) + payload)


def esp(inner):
    pad = bytes(range(1, 1 + (-len(inner) - 2) % 4))
    payload = struct.pack("!II", SPI_IN, 1) + inner + pad + bytes((len(pad), 4))
    return packet.ip(REMOTE, LOCAL, 50, payload)


class Leg:
    """@wrap: what the peer sends, from an IP packet; @level: see ftun_inject.c"""

    def __init__(self, make, after, wrap, level=0):
        self.make, self.after, self.wrap, self.level = make, after, wrap, level

    def setup(self):
        return SETUP.format(make=self.make) + self.after

    def from_peer(self, inner, out):
        frame = packet.ether(kinds.WAN, kinds.FAR, self.wrap(inner))
        return {"dev": "wan0", "out": out, "frame": frame, "level": self.level}

    def orders(self, ipip):
        """Both directions of a connection that needs nothing of the module, and of one
        whose other side is an IPIP tunnel."""
        data = b"x" * 18
        client, server = kinds.CLIENT[4], kinds.SERVER[4]
        return [{
            "LAN to it": ipip.into(packet.udp(client, HOST, 1007, 2007, data)),
            "it to LAN": self.from_peer(packet.udp(HOST, client, 2007, 1007, data), "lan0"),
        }, {
            "IPIP to it": dict(ipip.out_of(packet.udp(server, HOST, 2008, 1008, data)), out="wan0"),
            "it to IPIP": self.from_peer(packet.udp(HOST, server, 1008, 2008, data), "wan0"),
        }]


LEGS = {
    "gretap": Leg(f"type gretap local {LOCAL} remote {REMOTE}", NEIGHBOUR,
                  lambda inner: packet.ip(REMOTE, LOCAL, 47, b"\0\0\x65\x58" + packet.ether(LEG, PEER, inner))),
    "vxlan": Leg(f"type vxlan id {NET} local {LOCAL} remote {REMOTE} dstport 4789", NEIGHBOUR,
                 lambda inner: udp(4789, struct.pack("!II", 0x08000000, NET << 8), inner), 1),
    "geneve": Leg(f"type geneve id {NET} remote {REMOTE} dstport 6081", NEIGHBOUR,
                  lambda inner: udp(6081, struct.pack("!II", 0x6558, NET << 8), inner), 1),
    "vti": Leg(f"type vti local {LOCAL} remote {REMOTE} key 7", ipsec("mark 7"), esp),
    "xfrm": Leg("type xfrm dev wan0 if_id 7", ipsec("if_id 7"), esp),
}
