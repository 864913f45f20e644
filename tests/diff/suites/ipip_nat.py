# SPDX-License-Identifier: GPL-2.0
"""Source and destination NAT on the inner packets, in both directions."""
import struct

from harness import frames as fr
from harness.engine import ANY, case
from harness.flow import Do, down, up
from harness.sites import SITES

PORTS = ", ".join("%d : 10.9.0.1 . %d" % (20000 + i, 60000 - 7 * i) for i in range(40))
WORLDS = {
    "masquerade": (dict(nat=["post oifname tun0 masquerade"]), {}),
    "snat, other port": (dict(nat=["post oifname tun0 snat ip to %s sport map { %s, 19000 : 10.9.0.1 . 39000 }" % (proto, PORTS)
                                   for proto in ("udp", "tcp")]), {}),
    "snat, other address": (dict(nat=["post oifname tun0 snat to 10.77.1.2"]), {}),
    "dnat": (dict(nat=["pre iifname lan0 udp dport 80 dnat to 10.2.0.2:5001",
                       "pre iifname lan0 tcp dport 80 dnat to 10.2.0.2:5001"]), dict(dial=("10.1.0.100", 80))),
    "dnat and masquerade": (dict(nat=["pre iifname lan0 udp dport 80 dnat to 10.2.0.2:5001",
                                      "pre iifname lan0 tcp dport 80 dnat to 10.2.0.2:5001",
                                      "post oifname tun0 masquerade"]), dict(dial=("10.1.0.100", 80))),
    "dnat from far": (dict(nat=["pre iifname tun0 udp dport 80 dnat to 10.1.0.2:5001",
                                "pre iifname tun0 tcp dport 80 dnat to 10.1.0.2:5001"]),
                      dict(dial=("10.9.0.1", 80), path=("far", "client"))),
    "masquerade towards the LAN": (dict(nat=["post oifname lan0 masquerade"]), dict(path=("far", "client"))),
    "transit snat": (dict(nat=["post oifname tun1 masquerade"]), dict(path=("far", "far2"))),
    "transit dnat": (dict(nat=["pre iifname tun0 udp dport 80 dnat to 10.3.0.2:5001",
                               "pre iifname tun0 tcp dport 80 dnat to 10.3.0.2:5001"]),
                     dict(dial=("10.9.0.1", 80), path=("far", "far2"))),
}


def inner_error(way, type, code, mtu=0):
    """An ICMP error about the connection, from the end that got the packet."""
    def send(bed, flow):
        view, site = flow.view[way], flow.site(way)
        src, sport, dst, dport = view
        quoted = fr.ipv4(struct.pack("!HHHH", dport, sport, 40, 0), dst, src, flow.number())
        packet = fr.ipv4(fr.icmp(type, code, struct.pack("!HH", 0, mtu), quoted), src, dst, fr.ICMP)
        if site.outer:
            packet = fr.ipv4(packet, site.outer[0], site.outer[1], fr.IPIP)
        bed.wires[site.wire].send(fr.eth(packet, site.router_mac, site.mac))
    return Do(send)


for _name, (_world, _how) in WORLDS.items():
    def add(what, send, **how):
        tags = ("quick",) if _name in ("masquerade", "dnat") else ()
        case("ipip nat %s: %s" % (_name, what), send, world=_world, tags=tags, **{**_how, **how})

    add("udp", [up(), down(), up(size=0), down(size=0), up(size=1), down(size=1001)])
    add("udp without checksum", [up(l4_csum=0), down(l4_csum=0), up(l4_csum=0, size=7)])
    add("udp checksum is ffff", [up(data=struct.pack("!H", n)) for n in (0, 1, 0xffff)])
    add("udp every checksum carry", [up(data=struct.pack("!IH", n * 0x01010101 & 0xffffffff, 65535 - n))
                                     for n in range(0, 256, 16)])
    add("tcp", [up(), down(), up(), down(), up(flags="A")], proto="tcp")
    add("tcp close", [up(flags="FA"), down(flags="FA"), up(flags="A")], proto="tcp", fast=ANY)
    add("tcp reset", [down(flags="R"), up()], proto="tcp", fast=ANY)
    add("wrong udp checksum", [up(l4_csum="bad"), down(l4_csum="bad"), up(), down()], fast=ANY)
    add("tos, ttl, DF", [up(tos=1, ttl=2), up(df=True), down(tos=2, o_tos=3, ttl=2)])
    add("ttl 1", [up(ttl=1), down(ttl=1)], slow="ttl")
    if _how.get("path", ("client",))[0] == "client":
        add("too big, DF", [up(full=1485, df=True), down(full=1480, df=True)], fast=ANY)
        add("too big", [up(full=1490)], fast=ANY)
    add("fragments", [up(size=100, id=3, piece=(0, 48)), up(size=100, id=3, piece=(48, None)),
                      down(size=100, id=4, piece=(0, 48)), down(size=100, id=4, piece=(48, None)), up()], fast=ANY)
    add("padding", [up(size=0, pad_to=60), down(size=1, pad=b"\xaa" * 5)])
    add("error from the answering end", [inner_error("down", 3, 3), up(), down()], fast=2)
    add("error from the asking end", [inner_error("up", 3, 3), up(), down()], fast=2)
    add("frag needed from the answering end", [inner_error("down", 3, 4, 1200), up(full=1300, df=True), down()],
        fast=ANY)
    add("back to back", [up(size=n) for n in range(10)] + [down(size=n) for n in range(10)])

# A sender on this machine leaves the sum of what is in its own tunnel to the device; the UDP around that has none.
case("ipip nat masquerade: udp without a checksum around one left to the device", [up(size=200), up(size=200, l4_csum=0, deep=(82, 16)), down()],
     world=dict(vnet=True, offload=True, lan_mtu=1500, nat=["post oifname tun0 masquerade"], id="deep"), fast=ANY)
