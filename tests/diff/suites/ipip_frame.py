# SPDX-License-Identifier: GPL-2.0
"""Frames that are wrong, odd or not for this flow: in both directions, the slow
path's verdict on each is the only right one."""
from harness import frames as fr
from harness.engine import ANY, case
from harness.flow import Raw, down, up
from harness.sites import SITES

FIREWALL = dict(filter="ct state invalid drop")
WORLDS = (("", {}), (" (invalid dropped)", FIREWALL),
          (" (nf_conntrack_checksum 0)", dict(sysctl={"net.netfilter.nf_conntrack_checksum": 0})),
          (" (snat)", dict(nat=["post oifname tun0 masquerade"])))


def both(name, fields, slow="*", fast=None, proto="udp", **how):
    """The same fault going into the tunnel and coming out of it."""
    case("ipip frame encap: " + name, [up(**f) for f in fields] + [up()], fast=fast, slow=slow,
         proto=proto, **{"undo": (), **how})
    case("ipip frame decap: " + name, [down(**f) for f in fields] + [down()], fast=fast, slow=slow,
         proto=proto, **how)


def slow_then_fast(n, *reasons):
    """All faulty packets slow, the good one after them fast."""
    return dict(slow=reasons, fast=1)


for _text, _world in WORLDS:
    _w = dict(world=_world)
    both("wrong IP checksum" + _text, [dict(ip_csum="bad"), dict(ip_csum=0), dict(ip_csum=0xffff)],
         **slow_then_fast(3, "ip_csum"), **_w)
    both("wrong udp checksum" + _text, [dict(l4_csum="bad"), dict(l4_csum=1)], fast=ANY, **_w)
    both("wrong tcp checksum" + _text, [dict(l4_csum="bad", hold=1)], fast=ANY, proto="tcp", **_w)
    both("udp without checksum" + _text, [dict(l4_csum=0), dict(l4_csum=0, size=0), dict(l4_csum=0, size=999)],
         fast=4, slow=None, **_w)
    both("udp length field" + _text, [dict(udp_len=n) for n in (0, 7, 8, 39, 41, 0xffff)], fast=ANY, **_w)
    both("fragments" + _text, [dict(id=7, size=100, piece=p) for p in ((0, 48), (48, 96), (96, None))],
         **slow_then_fast(3, "fragment"), **_w)
    both("fragments out of order" + _text,
         [dict(id=8, size=100, piece=p) for p in ((96, None), (48, 96), (0, 48))],
         **slow_then_fast(3, "fragment"), **_w)
    case("ipip frame decap: outer fragments" + _text,
         [down(o_id=11, size=100, o_piece=p) for p in ((0, 64), (64, None))] + [down()],
         **slow_then_fast(2, "fragment"), **_w)
    case("ipip frame decap: outer and inner fragments" + _text,
         [down(o_id=20 + i, id=9, size=200, piece=p, o_piece=o) for i, p in enumerate(((0, 104), (104, None)))
          for o in ((0, 64), (64, None))] + [down()], **slow_then_fast(4, "fragment"), **_w)

both("one fragment only", [dict(id=0x31, size=100, piece=(0, 48))], **slow_then_fast(1, "fragment"), tags=("quick",))
both("last fragment only", [dict(id=0x32, size=100, piece=(48, None))], **slow_then_fast(1, "fragment"))
both("more fragments, whole", [dict(id=0x33, mf=True)], **slow_then_fast(1, "fragment"))
case("ipip frame decap: outer first fragment only", [down(o_id=0x34, size=100, o_piece=(0, 64)), down()],
     **slow_then_fast(1, "fragment"))
both("DF and fragment", [dict(id=0x35, df=True, size=100, piece=(0, 48)), dict(id=0x35, df=True, size=100,
     piece=(48, None))], **slow_then_fast(2, "fragment"))
both("large fragments", [dict(id=0x36, size=2000, piece=(0, 1400)), dict(id=0x36, size=2000, piece=(1400, None))],
     **slow_then_fast(2, "fragment"))

OPTIONS = {"no-operation": b"\1\1\1\1", "end of list": b"\0\0\0\0", "router alert": b"\x94\4\0\0",
           "record route": b"\7\x0b\4" + b"\0" * 8, "timestamp, full": b"\x44\x0c\x0d\0" + b"\0" * 8,
           "source route": b"\x83\7\4\xc0\0\2\x02", "malformed": b"\7\x28\4", "40 bytes": b"\1" * 40}
for _name, _opts in OPTIONS.items():
    both("options, " + _name, [dict(opts=_opts)], **slow_then_fast(1, "options", "header"))
    case("ipip frame decap: outer options, " + _name, [down(o_opts=_opts), down()],
         **slow_then_fast(1, "options", "header"))

both("ihl", [dict(ihl=n) for n in (0, 4, 15)], **slow_then_fast(3, "header", "options"))
both("version", [dict(version=n) for n in (0, 5, 6, 15)], **slow_then_fast(4, "header"), allow=())
both("total length short", [dict(ip_len=n) for n in (0, 19, 20, 27, 28, 59)], fast=ANY)
both("total length beyond the frame", [dict(ip_len=n) for n in (61, 100, 0xffff)], **slow_then_fast(3, "header"))
both("tcp total length short", [dict(ip_len=n, hold=1) for n in (20, 39, 40, 50)], fast=ANY, proto="tcp")
both("tcp data offset", [dict(doff=n, hold=1) for n in (0, 4, 15)], fast=ANY, proto="tcp")
case("ipip frame decap: outer ihl", [down(o_ihl=n) for n in (0, 4, 6, 15)] + [down()], fast=1,
     slow=("header", "options", "ip_csum"))
case("ipip frame decap: outer version", [down(o_version=n) for n in (0, 5, 6)] + [down()], fast=1, slow="*")
case("ipip frame decap: outer total length short",
     [down(o_ip_len=n) for n in (0, 19, 20, 39, 40, 47, 48, 79)] + [down()], fast=ANY)
case("ipip frame decap: outer total length long", [down(o_ip_len=n) for n in (81, 100, 0xffff)] + [down()],
     fast=1, slow="header")
case("ipip frame decap: outer checksum", [down(o_ip_csum="bad"), down(o_ip_csum=0), down()], fast=1, slow="ip_csum")
case("ipip frame decap: outer evil bit", [down(o_rf=True), down(rf=True)], fast=ANY)
both("evil bit", [dict(rf=True)], fast=ANY)

both("padding", [dict(size=0, pad_to=60), dict(size=3, pad=b"\xaa"), dict(pad=b"\xbb" * 7), dict(size=1, pad_to=300)],
     fast=5, slow=None, tags=("quick",))
both("padding, no checksum", [dict(size=0, pad_to=90, l4_csum=0)], fast=2, slow=None)
both("padding, tcp", [dict(flags="A", pad_to=80), dict(size=5, pad=b"\xcc")], fast=3, slow=None, proto="tcp")
case("ipip frame decap: padding inside the outer packet",
     [down(o_ip_len=100, size=0, pad_to=114), down(o_ip_len=81, pad=b"\xdd"), down()], fast=ANY)
for _at in (14, 20, 33, 34, 38, 41, 42, 50, 73):
    case("ipip frame encap: cut at %d" % _at, [up(cut=_at), up()], fast=1, slow="*")
for _at in (14, 33, 34, 40, 53, 54, 60, 61, 62, 80, 93):
    case("ipip frame decap: cut at %d" % _at, [down(cut=_at), down()], fast=1, slow="*")
for _at in (50, 53, 54, 60):
    case("ipip frame encap: tcp cut at %d" % _at, [up(cut=_at, hold=1), up()], fast=1, slow="*", proto="tcp")
for _at in (70, 73, 74, 80):
    case("ipip frame decap: tcp cut at %d" % _at, [down(cut=_at, hold=1), down()], fast=1, slow="*", proto="tcp")
for _n in (40, 47, 48, 60):      # the outer packet is right, the inner one runs out of it
    case("ipip frame decap: inner cut, outer length %d" % _n, [down(cut=14 + _n, o_ip_len=_n), down()],
         fast=1, slow="*")

both("frame for another host", [dict(dmac="02:00:00:00:09:09")], **slow_then_fast(1, "otherhost"), tags=("quick",))
both("broadcast frame", [dict(dmac="ff:ff:ff:ff:ff:ff")], **slow_then_fast(1, "otherhost"))
both("multicast frame", [dict(dmac="01:00:5e:00:00:01")], **slow_then_fast(1, "otherhost"))
both("other source MAC", [dict(smac="02:00:00:00:07:07")], fast=2, slow=None)
both("ethertype IPv6", [dict(ethertype=0x86dd)], **slow_then_fast(1, "*"))
both("ethertype VLAN", [dict(ethertype=0x8100)], **slow_then_fast(1, "*"))
both("ethertype unknown", [dict(ethertype=0x88b6)], **slow_then_fast(1, "*"))

# Close relatives of the flow's own packets
_LAN, _UND = SITES["client"].router_mac, SITES["far"].router_mac
case("ipip twin: inner packet bare on the underlay", [down(bare=True), down()], fast=1, slow="*", tags=("quick",))
case("ipip twin: bare on the underlay, rp_filter", [down(bare=True), down()], fast=1, slow="*",
     world=dict(sysctl={"net.ipv4.conf.all.rp_filter": 1}))
case("ipip twin: bare answer on the LAN", [down(bare=True, wire="client", dmac=_LAN), down()], fast=1, slow="*")
case("ipip twin: client's packet bare on the underlay", [up(wire="far", dmac=_UND), up()], fast=1, slow="*")
case("ipip twin: tunnel frame on the LAN", [down(wire="client", dmac=_LAN), down()], fast=ANY)
case("ipip twin: tunnel frame on the other underlay",
     [down(wire="far2", dmac=SITES["far2"].router_mac), down()], fast=ANY)
case("ipip twin: tunnel frame on the other underlay, rp_filter",
     [down(wire="far2", dmac=SITES["far2"].router_mac), down()], fast=ANY,
     world=dict(sysctl={"net.ipv4.conf.all.rp_filter": 1}))
case("ipip twin: tunnel frame on the other underlay, dev und0",
     [down(wire="far2", dmac=SITES["far2"].router_mac), down()], fast=ANY, world=dict(tun=dict(dev="und0")))
case("ipip twin: outer source of nobody", [down(o_src="203.0.113.3"), down()], fast=1, slow="*")
case("ipip twin: outer source of the other tunnel", [down(o_src="198.51.100.2"), down()], fast=1, slow="*")
case("ipip twin: outer destination another own address", [down(o_dst="198.51.100.1"), down(o_dst="10.1.0.1"),
     down(o_dst="10.9.0.1"), down()], fast=1, slow="*")
case("ipip twin: outer destination, local any", [down(o_dst="198.51.100.1"), down(o_dst="10.1.0.1"), down()],
     fast=ANY, world=dict(tun=dict(local=None)))
case("ipip twin: other tunnel's packet", [Raw("far2", fr.eth(fr.ipv4(fr.ipv4(fr.udp(
    b"x" * 9, "10.2.0.2", "10.1.0.2", 5001, 20000), "10.2.0.2", "10.1.0.2", fr.UDP), "198.51.100.2",
    "198.51.100.1", fr.IPIP), SITES["far2"].router_mac, SITES["far2"].mac)), down()], fast=1, slow="*")
case("ipip twin: outer protocol", [down(o_proto=n) for n in (0, 1, 6, 17, 41, 47, 50, 137, 255)] + [down()],
     fast=1, slow="*")
case("ipip twin: outer destination broadcast", [down(o_dst="192.0.2.255"), down(o_dst="255.255.255.255"),
                                                down(o_dst="224.0.0.1"), down()], fast=1, slow="*")
both("inner protocol", [dict(proto=n) for n in (0, 1, 2, 4, 41, 47, 132, 136, 255)], **slow_then_fast(1, "*"))
both("other ports", [dict(sport=5001, dport=31000), dict(sport=31000, dport=5001)], **slow_then_fast(1, "*"))
both("other source port", [dict(sport=777)], **slow_then_fast(1, "*"))
both("martian source", [dict(src=a) for a in ("127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "10.1.0.1",
                                              "10.9.0.1", "240.0.0.1")], **slow_then_fast(1, "*"))
both("martian destination", [dict(dst=a) for a in ("127.0.0.1", "0.0.0.0", "224.0.0.1", "240.0.0.1",
                                                  "255.255.255.255")], **slow_then_fast(1, "*"))
case("ipip frame decap: broadcast of the LAN", [down(dst="10.1.0.255"), down()], fast=1, slow="*")
case("ipip frame encap: broadcast behind the tunnel", [up(dst="10.9.0.3"), up()], fast=1, slow="*")
for _name, _w in (("strict", {"net.ipv4.conf.all.rp_filter": 1}), ("loose", {"net.ipv4.conf.all.rp_filter": 2})):
    case("ipip rp_filter %s" % _name, [up(), down(), up(), down()], world=dict(sysctl=_w))
    case("ipip rp_filter %s: outer source of the LAN" % _name, [down(o_src="10.1.0.2"), down()], fast=1, slow="*",
         world=dict(sysctl=_w))
    case("ipip rp_filter %s: inner source of the LAN" % _name, [down(src="10.1.0.3"), down()], fast=1, slow="*",
         world=dict(sysctl=_w))
