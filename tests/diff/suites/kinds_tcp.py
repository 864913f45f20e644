# SPDX-License-Identifier: GPL-2.0
"""TCP connections, NAT and large packets of every kind. IPIP has more of the same;
what conntrack thinks of a connection does not depend on the tunnel."""
import struct

from harness.engine import ANY
from harness.flow import down, up

from .flavours import FLAVOURS

CLOSE = [up(flags="FA"), down(flags="A"), down(flags="FA"), up(flags="A")]
OPEN = [up(flags="S"), down(flags="SA"), up(flags="A")]


def tcp(fl):
    def add(name, send, fast=ANY, world=None, **how):
        fl.case("tcp: " + name, send, proto="tcp", fast=fast, world=world, **how)

    add("data both ways", [up(size=1), up(size=1000), down(size=1300), up(flags="A"), down(flags="A")], fast=5,
        tags=("quick",) if fl.full else ())
    add("close", CLOSE)
    add("reset", [down(flags="RA"), up(), down()])
    add("closed and opened again", CLOSE + OPEN + [up(), down(), up(), down()])
    if not fl.full:
        return
    drop = dict(filter="ct state invalid drop")
    add("out of window, invalid dropped", [up(dseq=10000000), down(dseq=-10000000), up(flags="R", dseq=5000000), up(), down()],
        world=drop)
    add("SYN on the live connection", [up(flags="S", dseq=0), down(flags="A"), up(), down()], world=drop)
    add("retransmission, options", [up(size=100), up(size=100, dseq=-100), down(flags="A"),
                                    up(tcp_opts=b"\1\1\x08\x0a" + b"\0\0\0\1" * 2)], fast=4)
    add("ECN flags", [up(flags="PAE"), up(flags="PAC"), down(flags="PAEC", size=3)])


def nat_worlds(fl):
    def dnat(dev, proto, to):
        return "pre iifname %s %s dport 80 dnat %s to %s" % (dev, proto, fl.inner("ip", "ip6"), to)

    far, far2 = fl.inner(("10.2.0.2:5001", "10.3.0.2:5001"), ("[2001:db8:2::2]:5001", "[2001:db8:3::2]:5001"))
    dialled = dict(dial=(fl.inner("10.1.0.100", "2001:db8:1::100"), 80))
    inward = dict(dial=(fl.inner("10.9.0.1", "2001:db8:9::1"), 80))
    out = {"masquerade": (dict(nat=["post oifname tun0 masquerade"]), {}),
           "dnat": (dict(nat=[dnat("lan0", p, far) for p in ("udp", "tcp")]), dialled)}
    if fl.full:
        client = fl.inner("10.1.0.2:5001", "[2001:db8:1::2]:5001")
        snat = "post oifname tun0 snat %s" % fl.inner("ip to 10.77.1.2", "ip6 to 2001:db8:77::2")
        out["snat"] = dict(nat=[snat]), {}
        out["dnat from far"] = (dict(nat=[dnat("tun0", p, client) for p in ("udp", "tcp")]),
                                dict(inward, path=("far", "client")))
        out["transit dnat and masquerade"] = (dict(nat=[dnat("tun0", p, far2) for p in ("udp", "tcp")] +
                                                   ["post oifname tun1 masquerade"]), dict(inward, path=("far", "far2")))
    return out


def nat(fl, name, world, how):
    def add(what, send, **more):
        fl.case("nat %s: %s" % (name, what), send, world=world, **{**how, **more})

    add("udp", [up(), down(), up(size=0), down(size=0), up(size=1), down(size=1001)],
        tags=("quick",) if fl.full and name in ("masquerade", "dnat") else ())
    add("udp checksums", [up(data=struct.pack("!IH", n * 0x01010101 & 0xffffffff, 65535 - n)) for n in range(0, 256, 16)] +
        [up(data=struct.pack("!H", n)) for n in (0, 1, 0xffff)])
    add("udp without checksum", [up(l4_csum=0), down(l4_csum=0), up(l4_csum=0, size=7)], fast=ANY)
    add("tcp", [up(), down(), up(), down(), up(flags="A")], proto="tcp")
    add("wrong udp checksum", [up(l4_csum="bad"), down(l4_csum="bad"), up(), down()], fast=ANY)
    add("tos, ttl", [up(tos=1, ttl=2), down(tos=2, o_tos=3, ttl=2)])
    add("fragments", [f(size=100, id=i, piece=p) for f, i in ((up, 3), (down, 4)) for p in ((0, 48), (48, None))] + [up()],
        fast=ANY)
    add("padding", [up(size=0, pad_to=120), down(size=1, pad=b"\xaa" * 5)])


ON = dict(vnet=True, offload=True, lan_mtu=1500)


def gso_worlds(fl):
    out = {"": ON, " masquerade": dict(ON, nat=["post oifname tun0 masquerade"])}
    if fl.full:
        out[" underlay without offloads"] = dict(ON, plain_devices=("und0",))
        out[" LAN without offloads"] = dict(ON, plain_devices=("lan0",))
    return out


def gso(fl, name, world):
    def add(what, send, **how):
        fl.case("gso%s: %s" % (name, what), send, world=world, **{"fast": ANY, **how})

    add("tcp in segments of 1000", [up(size=4000, gso=1000), down(flags="A")], proto="tcp",
        tags=("quick",) if fl.full and not name else ())
    add("full segments", [up(size=(1360 - 20) * 10 + 1, gso=1340)], proto="tcp")
    add("segments over the tunnel's MTU", [up(size=4500, gso=1440)], proto="tcp")
    add("largest", [up(size=1400 * 45, gso=1300)], proto="tcp")
    add("ECN, FIN", [up(size=3000, gso=1000, tos=2, flags="FPA", keep=1)], proto="tcp")
    add("ttl 1", [up(size=3000, gso=1000, ttl=1)], proto="tcp")
    add("checksum to be filled in, tcp", [up(size=700, partial=True), down()], proto="tcp")
    add("checksum to be filled in, udp", [up(size=700, partial=True), up(size=1, partial=True), down()])
    add("udp to be segmented", [up(size=4000, gso=1000)])
    add("not large", [up(), down(), up(size=1300), down(size=1300)], fast=4)


for _fl in FLAVOURS:
    tcp(_fl)
    for _name, (_world, _how) in nat_worlds(_fl).items():
        nat(_fl, _name, _world, _how)
    for _name, _world in gso_worlds(_fl).items():
        gso(_fl, _name, _world)
