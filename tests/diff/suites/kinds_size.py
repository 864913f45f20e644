# SPDX-License-Identifier: GPL-2.0
"""Sizes around every MTU of every kind, and path MTUs learned while the flow is fast."""
import struct

from harness import frames as fr
from harness.engine import ANY
from harness.flow import Do, Raw, down, up
from harness.kinds import OUT_KEY
from harness.sites import FAR, FAR6, SITES, UND0, UND06

from .flavours import FLAVOURS


def around(mtu):
    return (mtu - 1, mtu, mtu + 1, mtu + 8)


def encap(fl, name, world, mtu, sizes, protos=("udp", "tcp"), **how):
    """Sizes up to mtu are fast, larger ones are the slow path's to answer."""
    for df in (True, False) if not fl.v6 else (True,):
        for proto in protos:
            what = "size %s: encap %s%s" % (name, proto, fl.inner(" DF" if df else " no DF", ""))
            fl.case(what, [up(full=n, df=df, dseq=0) for n in sizes if n <= mtu], world=world, proto=proto, **how)
            fl.case(what + ", too big", [up(full=n, df=df, dseq=0) for n in sizes if n > mtu], world=world,
                    proto=proto, slow=("mtu", "gso"), **how)


def sizes(fl):
    mtu = fl.kind.mtu()
    encap(fl, "default", {}, mtu, around(mtu) + (1500, 1501), tags=("quick",) if fl.full else ())
    encap(fl, "tunnel 1300", dict(tun_mtu=1300), 1300, around(1300) + around(mtu), protos=("udp",))
    for df in (True, False):
        if fl.v6 and df:
            continue
        fl.case("size underlay 1400, tunnel %d%s" % (mtu, fl.inner(": DF %s" % df, "")),
                [up(full=n, df=df) for n in around(mtu - 100) + around(1400) + around(mtu)],
                world=dict(und_mtu=1400, tun_mtu=mtu), fast=ANY)
        if not fl.full:
            continue
        lan = dict(lan_mtu=1300)
        what = fl.inner(" DF %s" % df, "")
        fl.case("size LAN 1300: decap" + what, [down(full=n, df=df) for n in (1299, 1300)], world=lan)
        fl.case("size LAN 1300: decap%s, too big" % what, [down(full=n, df=df) for n in (1301, 1308, 1400)], world=lan,
                slow=("mtu", "gso"))
        fl.case("size transit: tun1 1300" + what, [up(full=n, df=df) for n in (1299, 1300)], path=("far", "far2"),
                world=dict(setup=("link set tun1 mtu 1300",)))
        fl.case("size transit: tun1 1300%s, too big" % what, [up(full=n, df=df) for n in (1301, 1400)], path=("far", "far2"),
                world=dict(setup=("link set tun1 mtu 1300",)), slow=("mtu", "gso"))
        if fl.kind.under == 4:
            fl.case("size nopmtudisc" + what, [up(full=n, df=df) for n in around(mtu) + (1500,)],
                    world=dict(tun=dict(pmtudisc=False)), fast=ANY)
        fl.case("size tunnel 1600" + what, [up(full=n, df=df) for n in around(mtu) + around(1600)],
                world=dict(tun_mtu=1600), fast=ANY)


def underlay_error(fl, type, code, rest=b"\0\0\0\0"):
    """An ICMP error of an underlay router about a packet of the tunnel."""
    site, kind = SITES["far"], fl.kind
    client, far = fl.addr("client"), fl.addr("far")
    inner = fr.ip(fr.udp(b"", client, far, 20000, 5001), client, far, fr.UDP)
    src, dst = fl.under((UND0, FAR), (UND06, FAR6))
    out = dict(sport=7000, **(dict(key=OUT_KEY) if kind.gre and "key" in kind.gre else {}))
    payload, proto = kind.wrap(inner, fl.family, src, dst, out, 1)
    quoted = fr.ip(payload, src, dst, proto, df=True)
    if kind.under == 4:
        packet = fr.ipv4(fr.icmp(type, code, rest, quoted[:128]), "192.0.2.2", UND0, fr.ICMP)
    else:
        packet = fr.ipv6(fr.icmp6(type, code, "2001:db8:a::2", UND06, rest, quoted[:400]), "2001:db8:a::2", UND06, fr.ICMP6)
    return Raw("far", fr.eth(packet, site.router_mac, site.mac, fl.under(fr.ETH_IP, fr.ETH_IP6)))


def too_big(fl, mtu):
    return underlay_error(fl, *fl.under((3, 4), (2, 0)), rest=struct.pack("!I", mtu))


def learned(fl):
    """The last packets are over or under what fits into the learned 1400."""
    mtu, small = fl.kind.mtu(), fl.kind.mtu(1400)
    for df in (True, False) if not fl.v6 else (True,):
        fl.case("pmtu learned" + fl.inner(": DF %s" % df, ""), [up(full=mtu, df=df), too_big(fl, 1400)] +
                [up(full=n, df=df) for n in (mtu, small, small + 1, mtu, 150)] + [down()], world=dict(id="pmtu %s" % df),
                fast=ANY, tags=("quick",) if fl.full and df else ())
    if not fl.full:
        return
    # The second is written to the route that is there from the first one.
    for first, second in fl.under(((1400, 1300), (552, 500)), ((1400, 1300),)):
        sizes = (fl.kind.mtu(first), fl.kind.mtu(second) + 1, fl.kind.mtu(second))
        fl.case("pmtu learned: %d, then %d" % (first, second), [up(full=mtu, df=True), too_big(fl, first)] +
                [up(full=sizes[0], df=True)] * 3 + [too_big(fl, second)] + [up(full=n, df=True) for n in sizes * 2] + [down()],
                world=dict(id="pmtu %d" % second), fast=ANY)
    fl.case("pmtu learned, then flushed", [up(full=mtu, df=True), too_big(fl, 1400), up(full=mtu, df=True),
            Do("ip route flush cache; ip -6 route flush cache")] + [up(full=mtu, df=True)] * 2, world=dict(id="flush"), fast=ANY)
    fl.case("pmtu learned: tcp", [up(full=mtu, df=True), too_big(fl, 1400), up(full=mtu, df=True, dseq=0),
            up(full=small, df=True)], proto="tcp", world=dict(id="pmtu tcp"), fast=ANY)
    fl.case("pmtu learned: below the least", [up(full=1280), too_big(fl, 68), up(full=1280, df=True), too_big(fl, 1280),
            up(full=1280, df=True), up(full=1232)], world=dict(id="pmtu least"), fast=ANY)


def errors(fl):
    for t, c, name in fl.under(((3, 1, "host unreachable"), (3, 2, "protocol unreachable"), (11, 0, "time exceeded"),
                                (12, 0, "parameter problem")),
                               ((1, 0, "no route"), (1, 4, "port unreachable"), (3, 0, "time exceeded"),
                                (4, 0, "parameter problem"))):
        fl.case("underlay error %s: the tunnel reports it" % name, [up(), underlay_error(fl, t, c), up(), up(), up()],
                fast=ANY, world=dict(id="icmp %d %d" % (t, c)))
    if fl.kind.under == 4:
        fl.case("underlay error with ttl 64", [up(), underlay_error(fl, 11, 0), up(), up(), up()], fast=ANY,
                world=dict(tun=dict(ttl=64), id="icmp ttl"))


for _fl in FLAVOURS:
    sizes(_fl)
    learned(_fl)
    if _fl.full:
        errors(_fl)
