# SPDX-License-Identifier: GPL-2.0
"""What only a GRE or a UDP header can have wrong: key, checksum, sequence, ports."""
from harness.engine import ANY
from harness.flow import down, up
from harness.kinds import IN_KEY, OUT_KEY

from .flavours import FLAVOURS


def decap(fl, name, *packets, **how):
    fl.case(name, list(packets) + [down()], **{"fast": 1, "slow": "*", **how})


def gre(fl):
    has = fl.kind.gre_in
    name = "gre: %s"
    decap(fl, name % "key wrong", down(o_key=IN_KEY + 1), down(o_key=OUT_KEY), down(o_key=0), down(o_key=IN_KEY ^ 1 << 31),
          tags=("quick",) if "key" in has and len(has) == 1 else ())
    if "key" in has:
        decap(fl, name % "key missing", down(o_key=None))
    else:
        decap(fl, name % "key not asked for", down(o_key=0), down(o_key=IN_KEY))
    decap(fl, name % "checksum", down(o_gre_csum=True), down(o_gre_csum=None), down(o_gre_csum="bad"), down(o_gre_csum=0),
          fast=ANY, tags=("quick",) if tuple(has) == ("csum",) else ())
    decap(fl, name % "checksum wrong", down(o_gre_csum="bad"), down(o_gre_csum="bad", size=33))
    decap(fl, name % "right checksum, data wrong", down(o_gre_csum=True, l4_csum="bad"), fast=ANY)
    decap(fl, name % "odd and even sizes with checksum", *[down(o_gre_csum=True, size=n) for n in (0, 1, 2, 3, 999)], fast=ANY)
    decap(fl, name % "padding with checksum", *[down(o_gre_csum=True, size=n, pad=b"\xee" * p) for n, p in
                                                ((0, 20), (1, 1), (32, 3))], fast=ANY)
    decap(fl, name % "protocol", *[down(o_gre_proto=n) for n in (0, 0x0806, 0x6558, 0x8847, 0x88be, 0xffff)])
    decap(fl, name % "protocol of the other family", down(o_gre_proto=0x0800 if fl.v6 else 0x86dd))
    decap(fl, name % "version and reserved bits", *[down(o_gre_version=n) for n in (1, 2, 7, 8, 0x80)], fast=ANY)
    for bits in (0x40, 0x08, 0x48):
        decap(fl, name % "first byte %#x" % bits, down(o_gre_flags=bits))
    if not has:
        decap(fl, name % "key by flag only", down(o_gre_flags=0x20))
        decap(fl, name % "sequence not asked for", down(o_seq=7), down(o_seq=3), fast=ANY)
    if "seq" in has:
        sequence(fl)


def sequence(fl):
    fl.case("gre: sequence both ways", [f(size=n) for n in (0, 5, 900) for f in (up, down)], tags=("quick",))
    fl.case("gre: sequence, tcp", [up(), down(), up(), down()], proto="tcp")
    decap(fl, "gre: sequence repeated", down(o_dseq=-1), down(), down(o_dseq=-1), fast=ANY)
    decap(fl, "gre: sequence late", down(o_dseq=-3), down(o_dseq=-2), fast=ANY)
    decap(fl, "gre: sequence jumps ahead", down(o_dseq=5), down(), down(o_dseq=70000), down(), fast=ANY)
    decap(fl, "gre: sequence missing", down(o_seq=None), fast=ANY)
    fl.case("gre: one counter for fast and slow", [up(), up(ttl=1), up(tos=0xb8), up(size=3000), up(id=9, size=100,
            piece=(0, 48)), up(), down(ttl=1), up()], fast=ANY)


def udp(fl):
    decap(fl, "udp: other source port", down(o_sport=40001), down(o_sport=1), down(o_sport=0), fast=ANY)
    decap(fl, "udp: other destination port", down(o_dport=9), down(o_dport=0))
    decap(fl, "udp: checksum there or not", down(o_udp_csum=None), down(o_udp_csum=0), fast=ANY)
    decap(fl, "udp: checksum wrong", down(o_udp_csum="bad"), down(o_udp_csum=1), fast=ANY, tags=("quick",))
    decap(fl, "udp: length", *[down(o_udp_len=n) for n in (0, 7, 8, 20, 60, 0xffff)], fast=ANY)
    decap(fl, "udp: padding", down(pad=b"\xee" * 9), down(size=0, pad_to=150), fast=ANY)
    if fl.kind.udp == "gue":
        for head in (b"\x20\4\0\0", b"\1\4\0\0\0\0\0\0", b"\0\x3b\0\0", b"\0\0\0\0", b"\x40\4\0\0", b"\x80\4\0\0",
                     b"\0\4\xff\xff", b"\0\4\0\1"):
            decap(fl, "gue: header %s" % head.hex(), down(o_gue=head), fast=ANY)


for _fl in FLAVOURS:
    if _fl.kind.gre is not None and not _fl.kind.udp:
        gre(_fl)
    if _fl.kind.udp:
        udp(_fl)
