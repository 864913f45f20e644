# SPDX-License-Identifier: GPL-2.0
"""The outer header of every kind for every setting of the tunnel, ECN in both
directions, time to live. The same for IPIP, in more detail: ipip_header.py."""
from harness.engine import ANY
from harness.flow import down, up

from .flavours import FLAVOURS

MARKED = {4: ("route add default via 192.0.2.3 dev und0 table 100", "rule add fwmark 7 table 100"),
          6: ("route add default via 2001:db8:a::3 dev und0 table 100", "-6 rule add fwmark 7 table 100")}
ECN_LEGAL = [(o, i) for o in range(4) for i in range(4) if i or not o]


def settings(kind):
    """{name: world} of a kind"""
    out = {"default": {}}
    if kind.external:       # kinds_external.py
        return out
    four = {"ttl 64": dict(ttl=64), "tos inherit": dict(tos="inherit"), "tos 0x22": dict(tos="0x22"),
            "nopmtudisc": dict(pmtudisc=False), "ttl 255 tos inherit": dict(ttl=255, tos="inherit"),
            "local any": dict(local=None), "dev und0": dict(dev="und0")}
    six = {"hoplimit 5": dict(hoplimit=5), "tclass 0x20": dict(tclass="0x20"), "tclass inherit": dict(tclass="inherit"),
           "flowlabel 0x12345": dict(flowlabel="0x12345"), "flowlabel inherit": dict(flowlabel="inherit"),
           "tclass and flowlabel inherit": dict(tclass="inherit", flowlabel="inherit"),
           "dev und0": dict(dev="und0")}
    given = dict({4: four, 6: six}[kind.under])
    if kind.link == "gre" and not kind.udp:
        given["nopmtudisc ignore-df"] = {"pmtudisc": False, "ignore-df": True}
    if kind.link == "ip6tnl":
        given["dscp inherit"] = dict(dscp="inherit")
    if kind.base:
        given = {k: given[k] for k in ("tos inherit", "tclass inherit") if k in given}
    out.update((name, dict(tun=tun)) for name, tun in given.items())
    if not kind.base:
        out["fwmark"] = dict(tun=dict(fwmark=7), setup=MARKED[kind.under])
    return out


def header(fl, name, world):
    def add(what, send, tags=(), **how):
        quick = name == "default" and what in ("both ways", "tcp both ways", "encap ECN", "decap ECN legal", "ttl 1")
        fl.case("header %s: %s" % (name, what), send, world=world, tags=("quick",) if quick else tags, **how)

    add("both ways", [f(size=n) for n in (0, 1, 32, 1000) for f in (up, down)])
    add("tcp both ways", [up(), down(), up(), down()], proto="tcp")
    add("encap ECN", [up(tos=t) for t in range(4)])
    add("encap EF, ECN", [up(tos=0xb8 | t) for t in range(4)], base=dict(tos=0xb8))
    add("encap DSCP changes", [up(tos=0xb8), up(tos=0x10), up(tos=0)], fast=ANY)
    add("encap DF, id", [up(df=True), up(id=0), up(id=0xffff), up(df=True, id=1)])
    add("ttl", [up(ttl=255), up(ttl=2), down(ttl=255), down(ttl=2), down(o_ttl=1), down(o_ttl=255)])
    add("ttl 1", [up(ttl=1), down(ttl=1)], slow="ttl")
    add("ttl 0", [up(ttl=0), down(ttl=0)], slow="ttl")
    add("decap ECN legal", [down(o_tos=o, tos=i) for o, i in ECN_LEGAL])
    add("decap CE on Not-ECT", [down(o_tos=3, tos=0)], slow="ecn")
    add("decap outer DSCP", [down(o_tos=0xb8), down(o_tos=0x2b, tos=1)], fast=ANY)
    add("decap inner DSCP", [down(tos=0xb8), down(tos=0xba, o_tos=3)], base=dict(down=dict(tos=0xb8)))
    add("decap outer id, DF, flow label", [down(o_df=True, o_id=0, o_flow=5), down(o_id=0xffff, o_flow=0xfffff), down()],
        fast=ANY if fl.kind.under == 6 else None)
    if fl.v6:
        add("inner flow label", [up(flow=0x54321), up(flow=0x54321, size=3), up(flow=1), down(flow=7), down(flow=8)],
            fast=ANY)
        add("one inner flow label", [up(flow=0x54321), up(flow=0x54321, size=3), down(flow=7), down(flow=7)],
            base=dict(up=dict(flow=0x54321), down=dict(flow=7)))


def basics(fl):
    """Once for every flavour."""
    for o in range(4):
        for i in range(4):
            odd = i == 0 and o in (1, 2, 3)
            if fl.full:
                fl.case("decap ECN outer %d inner %d" % (o, i), [down(o_tos=o, tos=i)], fast=ANY if odd else 1)
            fl.case("transit ECN outer %d inner %d" % (o, i), [up(o_tos=o, tos=i)], fast=ANY if odd else 1,
                    path=("far", "far2"))
    way = dict(path=("far", "far2"))
    fl.case("transit: both ways", [f(size=n) for n in (0, 32, 900) for f in (up, down)], tags=("quick",), **way)
    fl.case("transit: tcp", [up(), down(), up()], proto="tcp", **way)
    fl.case("transit: ttl 2", [up(ttl=2), down(ttl=2)], **way)
    fl.case("transit: ttl 1", [up(ttl=1), down(ttl=1)], slow="ttl", **way)
    fl.case("opened from far: udp", [up(), down(), up(tos=3)], path=("far", "client"))
    fl.case("opened from far: tcp", [up(), down(), up(), down()], proto="tcp", path=("far", "client"))
    fl.case("not answered: udp", [up(), up(), up(), up()], fast=0, slow="*", warm=False)
    fl.case("decap not answered: udp", [up(), up(), up()], fast=0, slow="*", warm=False, path=("far", "client"))
    fl.case("plain flow beside the tunnel", [up(), down()], path=("client", "plain"), fast=0, slow="*")


for _fl in FLAVOURS:
    for _name, _world in settings(_fl.kind).items():
        header(_fl, _name, _world)
    basics(_fl)
