# SPDX-License-Identifier: GPL-2.0
"""Frames that are wrong, odd or not for this flow, for every kind, in both
directions: the slow path's verdict on each is the only right one."""
from harness import frames as fr
from harness.engine import ANY
from harness.flow import down, up
from harness.sites import SITES

from .flavours import FLAVOURS

_LAN, _UND = SITES["client"].router_mac, SITES["far"].router_mac
INVALID = dict(filter="ct state invalid drop")
OPTIONS = {"no-operation": b"\1\1\1\1", "router alert": b"\x94\4\0\0", "record route": b"\7\x0b\4" + b"\0" * 8,
           "malformed": b"\7\x28\4"}
EXTENSIONS = {"hop by hop": [(fr.HOPOPTS, b"\1\4\0\0\0\0")], "router alert": [(fr.HOPOPTS, b"\5\2\0\0\1\0")],
              "destination": [(fr.DSTOPTS, b"\1\4\0\0\0\0")], "routing type 0": [(fr.ROUTING, b"\0\0\0\0\0\0")],
              "two": [(fr.HOPOPTS, b"\1\4\0\0\0\0"), (fr.DSTOPTS, b"\1\4\0\0\0\0")],
              "unknown option": [(fr.DSTOPTS, b"\x8f\4\0\0\0\0")], "long": [(fr.DSTOPTS, b"\1\x0c" + b"\0" * 12)]}


def pairs(fl):
    """both(): the same fault going into the tunnel and coming out of it, good packets after it."""
    def both(name, fields, slow="*", fast=1, proto="udp", **how):
        for way, make in (("encap", up), ("decap", down)):
            fl.case("frame %s: %s" % (way, name), [make(**f) for f in fields] + [make()], fast=fast, slow=slow,
                    proto=proto, **how)
    return both


def layer4(fl, text, world):
    both = pairs(fl)
    how = dict(world=world)
    both("wrong udp checksum" + text, [dict(l4_csum="bad"), dict(l4_csum=1)], fast=ANY, **how)
    both("wrong tcp checksum" + text, [dict(l4_csum="bad", hold=1)], fast=ANY, proto="tcp", **how)
    both("udp without checksum" + text, [dict(l4_csum=0), dict(l4_csum=0, size=0)], fast=ANY, slow=None, **how)
    both("udp length field" + text, [dict(udp_len=n) for n in (0, 7, 8, 39, 41, 0xffff)], fast=ANY, **how)


def fragments(fl):
    both = pairs(fl)
    both("fragments", [dict(id=7, size=100, piece=p) for p in ((0, 48), (48, 96), (96, None))],
         slow="fragment", tags=("quick",) if fl.full else ())
    both("fragments out of order", [dict(id=8, size=100, piece=p) for p in ((96, None), (48, 96), (0, 48))],
         slow="fragment")
    both("last fragment only", [dict(id=0x32, size=100, piece=(48, None))], slow="fragment")
    both("fragment header, whole packet", [dict(frag=0, id=5)] if fl.v6 else [dict(mf=True)], fast=ANY)
    both("large fragments", [dict(id=0x36, size=2000, piece=p) for p in ((0, 1200), (1200, None))], slow="fragment")
    outer = "fragment" if fl.kind.limit is None else "*"        # what comes after an option is not looked at
    fl.case("frame decap: outer fragments", [down(o_id=11, size=100, o_piece=p) for p in ((0, 64), (64, None))] +
            [down()], slow=outer, fast=1, tags=("quick",) if fl.full else ())
    fl.case("frame decap: outer fragments out of order", [down(o_id=12, size=100, o_piece=p) for p in
            ((64, None), (0, 64))] + [down()], slow="fragment", fast=ANY)
    fl.case("frame decap: outer first fragment only", [down(o_id=13, size=100, o_piece=(0, 64)), down()],
            slow="fragment", fast=1)
    fl.case("frame decap: outer fragment header, whole packet",
            [fl.under(down(o_mf=True), down(o_frag=0, o_id=6)), down()], fast=ANY)


def lengths(fl):
    both = pairs(fl)
    least = 8 if fl.v6 else 28          # what the length field says of a packet without data
    both("length field short", [dict(ip_len=least + n) for n in (-8, -1, 0, 31)], fast=ANY)
    both("length field long", [dict(ip_len=least + n) for n in (33, 72)] + [dict(ip_len=0xffff)])
    both("tcp length field short", [dict(ip_len=least + n, hold=1) for n in (-8, 11, 12, 22)], fast=ANY, proto="tcp")
    both("tcp data offset", [dict(doff=n, hold=1) for n in (0, 4, 15)], fast=ANY, proto="tcp")
    both("version", [dict(version=n) for n in (0, 4 if fl.v6 else 6, 15)])
    outer = fl.kind.shim() + fl.ip_size + 40 + (0 if fl.kind.under == 6 else 20)
    fl.case("frame decap: outer length field short", [down(o_ip_len=n) for n in
            (0, 19, 20, outer - 41, outer - 40, outer - 33, outer - 1)] + [down()], fast=ANY)
    fl.case("frame decap: outer length field long", [down(o_ip_len=outer + n) for n in (1, 20, 1000)] + [down()],
            fast=1, slow="*")
    fl.case("frame decap: outer version", [down(o_version=n) for n in (0, 5, 15)] + [down()], fast=1, slow="*")
    both("padding", [dict(size=0, pad_to=130), dict(size=3, pad=b"\xaa"), dict(pad=b"\xbb" * 7)], fast=4, slow=None,
         tags=("quick",) if fl.full else ())
    both("padding, tcp", [dict(flags="A", pad_to=130), dict(size=5, pad=b"\xcc")], fast=3, slow=None, proto="tcp")
    fl.case("frame decap: padding inside the outer packet", [down(o_ip_len=outer + 20, pad=b"\xdd" * 20),
                                                             down(o_ip_len=outer + 1, pad=b"\xdd"), down()], fast=ANY)


def cuts(fl):
    """The frame ends early, at every byte of its headers: encap: 8 at a time."""
    end = 14 + fl.ip_size + 8
    step = 1 if fl.full else 5
    for name, make, last, proto in (("encap", up, end, "udp"), ("decap", down, end + fl.kind.overhead_in(), "udp"),
                                    ("encap tcp", up, end + 12, "tcp"),
                                    ("decap tcp", down, end + 12 + fl.kind.overhead_in(), "tcp")):
        first = last - 20 if proto == "tcp" else 14
        for at in range(first, last + 2, 12):
            places = range(at, min(at + 12, last + 2), step)
            fl.case("frame %s: cut at %d and after" % (name, at), [make(cut=n, hold=1, size=32) for n in places] +
                    [make()], fast=1, slow="*", proto=proto)


def options(fl):
    both = pairs(fl)
    for name, opts in (EXTENSIONS if fl.v6 else OPTIONS).items():
        both("options, " + name, [fl.inner(dict(opts=opts), dict(ext=opts))])
    for name, opts in (EXTENSIONS if fl.kind.under == 6 else OPTIONS).items():
        fl.case("frame decap: outer options, " + name, [fl.under(down(o_opts=opts), down(o_ext=opts)), down()],
                fast=ANY, slow="*")
    if fl.kind.under == 6:
        fl.case("frame decap: encapsulation limit", [down(o_limit=n) for n in (0, 1, 4, 255)] + [down(o_limit=None), down()],
                fast=ANY)
    else:
        fl.case("frame decap: outer checksum", [down(o_ip_csum="bad"), down(o_ip_csum=0), down()], fast=1, slow="ip_csum")
        fl.case("frame decap: outer ihl", [down(o_ihl=n) for n in (0, 4, 6, 15)] + [down()], fast=1, slow="*")
    if not fl.v6:
        both("wrong IP checksum", [dict(ip_csum="bad"), dict(ip_csum=0)], slow="ip_csum")
        both("ihl", [dict(ihl=n) for n in (0, 4, 15)])


def link(fl):
    both = pairs(fl)
    both("frame for another host", [dict(dmac="02:00:00:00:09:09")], slow="otherhost",
         tags=("quick",) if fl.full else ())
    both("broadcast frame", [dict(dmac="ff:ff:ff:ff:ff:ff")], slow="otherhost")
    both("multicast frame", [dict(dmac="33:33:00:00:00:01")], slow="otherhost")
    both("other source MAC", [dict(smac="02:00:00:00:07:07")], fast=2, slow=None)
    both("ethertype", [dict(ethertype=n) for n in (0x8100, 0x88b6)])
    both("inner protocol", [dict(proto=n) for n in (0, 1, 2, 4, 41, 47, 58, 59, 132, 136, 255)])
    both("other ports", [dict(sport=5001, dport=31000), dict(sport=777)])
    both("martian source", [dict(src=a) for a in fl.inner(
        ("127.0.0.1", "0.0.0.0", "224.0.0.1", "10.1.0.1", "10.9.0.1"),
        ("::1", "::", "ff02::1", "fe80::9", "2001:db8:1::1", "2001:db8:9::1", "::ffff:10.1.0.2"))])
    both("martian destination", [dict(dst=a) for a in fl.inner(
        ("127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"),
        ("::1", "::", "ff02::1", "ff0e::1", "fe80::9", "::ffff:10.2.0.2"))])


def twins(fl):
    """Close relatives of the flow's own packets."""
    def decap(name, *packets, **how):
        fl.case("twin: " + name, list(packets) + [down()], **{"fast": 1, "slow": "*", **how})

    decap("inner packet bare on the underlay", down(bare=True), tags=("quick",) if fl.full else ())
    decap("bare answer on the LAN", down(bare=True, wire="client", dmac=_LAN))
    fl.case("twin: client's packet bare on the underlay", [up(wire="far", dmac=_UND), up()], fast=1, slow="*")
    decap("tunnel frame on the LAN", down(wire="client", dmac=_LAN), fast=ANY)
    decap("tunnel frame on the other underlay", down(wire="far2", dmac=SITES["far2"].router_mac), fast=ANY)
    decap("outer source of nobody", down(o_src=fl.under("203.0.113.3", "2001:db8:c::3")))
    decap("outer source of the other tunnel", down(o_src=fl.under("198.51.100.2", "2001:db8:b::2")))
    decap("outer destination another own address", *[down(o_dst=a) for a in fl.under(
        ("198.51.100.1", "10.1.0.1"), ("2001:db8:b::1", "2001:db8:1::1"))])
    decap("outer protocol", *[down(o_proto=n) for n in (0, 1, 6, 50, 59, 137, 255)])
    if fl.kind.gre is None:
        decap("other family announced", down(o_inner_proto=fr.IPIP if fl.v6 else fr.IPV6))


for _fl in FLAVOURS:
    layer4(_fl, "", {})
    fragments(_fl)
    lengths(_fl)
    twins(_fl)
    if _fl.full:
        layer4(_fl, " (invalid dropped)", INVALID)
        layer4(_fl, " (nf_conntrack_checksum 0)", dict(sysctl={"net.netfilter.nf_conntrack_checksum": 0}))
        options(_fl)
        link(_fl)
    cuts(_fl)
