# SPDX-License-Identifier: GPL-2.0
"""Tunnels that one end of is not given. Without a remote end where packets go is up to a neighbour inside of the
tunnel (GRE) or to the route; without a local one where they come from is. And there can be one that fits better."""
from harness import flow as fl_
from harness.bed import tunnel_options
from harness.engine import ANY, case
from harness.flow import Do, Wait, down, up
from harness.kinds import HOPS, KINDS
from harness.sites import FAR, FAR2, FAR6_MOVED, FAR_MOVED, SITES, UND0

from .flavours import FLAVOURS

HOP2 = {4: "10.9.9.3", 6: "2001:db8:9::3"}


def neighbours(fl):
    """The neighbour that packets go by changes."""
    hop = HOPS["tun0"][fl.family]

    def neigh(words):
        return Do("ip neigh replace %s dev tun0 %s" % (hop, words))

    def add(name, send, setup=(), sysctl=None, protos=("udp",), **how):
        for proto in protos:
            fl.case("nbma: neighbour %s%s" % (name, ", tcp" * (proto == "tcp")), [up(), down()] + send, proto=proto,
                    world=dict(id=name + proto, setup=setup, sysctl=sysctl or {}), **how)

    here, moved = neigh("lladdr %s nud permanent" % FAR), neigh("lladdr %s nud permanent" % FAR_MOVED)
    forget = Do("ip neigh del %s dev tun0" % hop)
    add("moves", [moved, up(), up(), up(), down(), down()], fast=dict(encap=3, decap=3), slow="neigh", protos=("udp", "tcp"), tags=("quick",))
    add("moves, and answers from there", [moved, up(), up()] + [down(o_src=FAR_MOVED)] * 3, fast=(3, 5))
    add("moves and comes back", [moved, up(), up(), here, up(), up()], fast=dict(encap=3, decap=1), slow="neigh")
    add("moves and comes back unseen", [moved, here, up(), down()], fast=dict(encap=2, decap=2))
    add("stale, then confirmed", [neigh("lladdr %s nud stale" % FAR), up(), up(), down(), here, up(), up()],
        fast=dict(encap=3, decap=2), slow="tunnel_neigh", tags=("quick",))
    add("stale, then elsewhere", [neigh("lladdr %s nud stale" % FAR_MOVED), up(), up(), down(), moved, up(), up(), up()],
        fast=dict(encap=3, decap=2), slow=("tunnel_neigh", "neigh"))
    add("reachable", [neigh("lladdr %s nud reachable" % FAR), up(), down()], fast=dict(encap=2, decap=2))
    add("failed, packets wait for it", [neigh("nud failed"), up(size=1), up(size=2), down(), moved, up(), up()], fast=ANY)
    # It is the tunnel's own address then: the packet goes round until its time is over.
    add("deleted", [forget, up(), Wait(0.3), up(), Wait(0.3), down()], fast=ANY)
    add("deleted and added at once", [Do(forget.what + "; ip neigh add %s dev tun0 lladdr %s nud permanent" % (hop, FAR)), up(), down()],
        fast=dict(encap=2, decap=2))
    silent = ["net.ipv%d.neigh.tun0.%s" % (fl.family, name) for name in ("mcast_solicit", "ucast_solicit", "app_solicit")]
    add("deleted, and there are no others", [forget, up(), up(), down(), moved, up(), up(), up()], fast=dict(encap=3, decap=2),
        setup=("link set tun0 arp on", here.what[3:]), sysctl=dict.fromkeys(silent, 0), slow=("neigh", "tunnel_neigh"),
        allow=[r"snmp (tun0 )?Ip6Out(Requests|Discards|Octets)"])        # multicast listeners are told of again
    other(fl, "via %s dev tun0%s" % (HOP2[fl.family], " onlink" * (fl.family == 4)),
          ("neigh add %s lladdr %s dev tun0 nud permanent" % (HOP2[fl.family], FAR_MOVED),))


def other(fl, hop, setup=()):
    """The route leads to another end of the same tunnel."""
    inside = fl.inner("10.2.0.0/16", "2001:db8:2::/48")
    moved = dict(o_src=fl.under(FAR_MOVED, FAR6_MOVED))
    fl.case("nbma: route to another end", [up(), down(), Do("ip route replace %s %s" % (inside, hop)), up(), up(), up(), down(**moved)],
            world=dict(id="nbma route", setup=setup), fast=(3, 4), tags=("quick",))
    fl.case("nbma: unrelated route", [up(), down(), Do("ip route add %s dev lan0" % fl.inner("172.20.0.0/16", "2001:db8:aaaa::/48")),
            up(), down()], world=dict(id="nbma unrelated"), fast=4)


def closer(name, link, fitting, prefix="", **how):
    """A tunnel is made that fits better what comes in: as soon as it is up, it gets that."""
    make = "ip link add tun9 type %s %s" % (link, tunnel_options(fitting, {}))
    case("%snbma: a closer tunnel is made" % prefix, [up(), down(), Do(make), up(), down(), Do("ip link set tun9 up"), up(), down(), down(),
         up(), down(), Do("ip link set tun9 down"), down(), down(), up()], fast=ANY, **how)


def closer_elsewhere(name, link, fitting, world, **how):
    """The same of one that has been moved to another namespace: what it gets is what comes in here."""
    make = "ip link add tun9 type %s %s; ip link set tun9 netns ftd-c" % (link, tunnel_options(fitting, {}))
    case("%s nbma: a closer tunnel elsewhere" % name, [Do(make), up(), down(), up(), down(), Do("ip -n ftd-c link set tun9 up"),
         down(hold=1), up(), down(hold=1), down(hold=1)], fast=ANY, undo=["ip -n ftd-c link del tun9"],
         world=dict(world, id="%s closer elsewhere" % name), **how)


def hub(bed, flow):
    """A packet each way of another connection, to the other end."""
    if not hasattr(bed, "beside"):
        bed.beside = fl_.Flow("udp", ("client", "far2"), 3000, None, flow.family, bed.world, bed.seqs)
        bed.beside.view["down"] = (*bed.beside.view["up"][2:], *bed.beside.view["up"][:2])
    for packet in (up(size=77), down(size=78)):
        wire, frame, header = bed.beside.frame(packet)
        bed.wires[wire].send(frame, header)
        bed.sentinel.follow()


def many(family):
    """One device for all ends, as with NHRP: neither end is given, only the key."""
    inside = {4: "10.3.0.0/16", 6: "2001:db8:3::/48"}[family]
    world = dict(kind="gre-nbma-key", tun=dict(local=None), setup=(
        "link del tun1", "neigh add %s lladdr %s dev tun0 nud permanent" % (HOP2[family], FAR2),
        "route add %s via %s dev tun0%s" % (inside, HOP2[family], " onlink" * (family == 4))))

    def add(name, send, **how):
        case("gre-nbma-key %d nbma: hub: %s" % (family, name), send, family=family, **{"world": world, **how})

    for path in (("client", "far"), ("client", "far2"), ("far2", "client")):
        add("%s to %s" % path, [f(size=n) for n in (0, 1, 32, 900) for f in (up, down)], path=path, tags=("quick",))
        add("%s to %s, tcp" % path, [up(), down(), up(), down()], path=path, proto="tcp")
        add("%s to %s, masqueraded" % path, [up(), down(), up(), down()], path=path,
            world=dict(world, nat=["post oifname %s masquerade" % ("lan0" if path[1] == "client" else "tun0")]))
    for path in (("far", "far2"), ("far2", "far")):
        add("%s to %s" % path, [up(), down(), up(), down()], path=path, **({} if family == 4 else dict(refused="hairpin")))
    add("wrong key", [up(), down(o_key=7), down()], fast=dict(encap=1, decap=1))
    add("wrong local end", [up(), down(o_dst="198.51.100.1"), down()], fast=ANY)
    beside = [Do(hub)] * 4
    add("two at once", beside + [up(), down()] + [Do(hub), up(), down()] * 3, world=dict(world, id="hub two"), fast=(14, 18))
    add("two at once, one moves", beside + [up(), down(), Do("ip neigh replace %s dev tun0 lladdr %s nud permanent" % (
        HOP2[family], FAR_MOVED)), up(), down(), Do(hub), up(), down(), Do(hub)], world=dict(world, id="hub moves"), fast=ANY, slow="neigh")
    source = "ip route replace 203.0.113.0/24 via 192.0.2.2 dev und0 src 198.51.100.1"
    add("source changes", [up(), down(), Do(source), up(), down(), up(), down()], fast=ANY,
        world=dict(world, id="hub source"))


for _fl in FLAVOURS:
    if _fl.kind.nbma and _fl.kind.link == "gre":
        neighbours(_fl)
    elif _fl.kind.nbma:
        other(_fl, "via %s%s dev tun0 onlink" % ("inet6 " * (_fl.family == 4), FAR6_MOVED))
    if _fl.kind.nbma:
        _far, _router = SITES["far"].outers[_fl.kind.under]
        closer(_fl.label, _fl.kind.link, _fl.kind.options("tun9", _router, _far), _fl.label + " ", family=_fl.family,
               world=dict(kind=_fl.kind.name, id="%s closer" % _fl.label))
        closer_elsewhere(_fl.label, _fl.kind.link, _fl.kind.options("tun9", _router, _far), dict(kind=_fl.kind.name), family=_fl.family)
for _family in (4, 6):
    many(_family)

# Without a local end the route says what it is.
_ANYWHERE = dict(tun=dict(local=None))
for _kind in ("ipip", "gre", "sit"):
    closer(_kind, _kind, dict(local=UND0, remote=FAR), _kind + " without local ", family=KINDS[_kind].inner[0],
           world=dict(_ANYWHERE, kind=_kind, id=_kind + " anywhere"))
    closer_elsewhere(_kind + " without local", _kind, dict(local=UND0, remote=FAR), dict(_ANYWHERE, kind=_kind), family=KINDS[_kind].inner[0])
    case("%s without local nbma: source changes" % _kind, [up(), down(), Do(
         "ip route replace 203.0.113.0/24 via 192.0.2.2 dev und0 src 198.51.100.1"), up(), up(), down(), down()], family=KINDS[_kind].inner[0],
         world=dict(_ANYWHERE, kind=_kind, id=_kind + " source"), fast=ANY)

# What goes into GRE over IPv6 without a remote end is dropped, what comes out is not.
for _family in (4, 6):
    _world = dict(kind="ip6gre", tun=dict(remote=None), setup=(
        "route replace %s dev und0" % {4: "10.2.0.0/16 via 192.0.2.2", 6: "2001:db8:2::/48 via 2001:db8:a::2"}[_family],))
    case("ip6gre %d nbma: out of it" % _family, [up(), down(), down(size=0), up(), down(size=900)], family=_family, world=_world,
         fast=(3, 5), tags=("quick",))
    case("ip6gre %d nbma: into it" % _family, [up(), up(), down(), up()], family=_family, path=("far", "client"),
         world=dict(kind="ip6gre", tun=dict(remote=None)), fast=dict(decap=3), refused="nbma")

# The outer header is there before the device is asked how large a packet it takes whole.
for _max in (4040, 4041, 4064, 4065):
    case("gre-nbma nbma: gso_max_size %d" % _max, [Do("ip link set tun0 gso_max_size %d" % _max), up(size=4000, gso=1000), up(size=4000, gso=1000),
         down()], proto="tcp", fast=ANY, world=dict(id="gso_max_size %d" % _max, kind="gre-nbma", vnet=True, offload=True, lan_mtu=1500))
