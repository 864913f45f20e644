# SPDX-License-Identifier: GPL-2.0
"""The outer header for every setting of the tunnel, ECN in both directions,
time to live; each for one router per setting."""
from harness.engine import ANY, case
from harness.flow import down, up

case("self-test victim", [up(), up(size=60), down(), up(full=1481, df=True)],
     slow="mtu", fast=dict(encap=2, decap=1), assured=True, tags=("quick",))

MARKED = dict(tun=dict(fwmark=7), setup=("route add default via 192.0.2.3 dev und0 table 100",
                                         "rule add fwmark 7 table 100"))
BY_TOS = ("route add 203.0.113.2 via 192.0.2.3 dev und0 table 100", "rule add tos 0x10 table 100")
SETTINGS = {
    "default": {},
    "ttl 64": dict(tun=dict(ttl=64)),
    "ttl 1": dict(tun=dict(ttl=1)),
    "ttl 255 tos inherit": dict(tun=dict(ttl=255, tos="inherit")),
    "tos 0x20": dict(tun=dict(tos="0x20")),
    "tos 0x22 (ECN bits)": dict(tun=dict(tos="0x22")),
    "tos inherit": dict(tun=dict(tos="inherit")),
    "tos inherit, rule by tos": dict(tun=dict(tos="inherit"), setup=BY_TOS),
    "nopmtudisc": dict(tun=dict(pmtudisc=False)),
    "pmtudisc ttl 32 tos 0x10": dict(tun=dict(pmtudisc=True, ttl=32, tos="0x10")),
    "local any": dict(tun=dict(local=None)),
    "dev und0": dict(tun=dict(dev="und0")),
    "fwmark": MARKED,
    "remote any": dict(tun=dict(remote=None), setup=(
        "route replace 10.2.0.0/16 via 203.0.113.2 dev tun0 onlink",)),
    "mode any": dict(tun=dict(mode="any")),
}
# A tunnel without a remote end is not one that a flow can be matched to exactly.
SLOW_TUNNEL = {"remote any"}
NO_REASON = ("*",)


def settings(name, world):
    def add(what, send, fast=None, slow=None, **how):
        if name in SLOW_TUNNEL:
            fast, slow = ANY, NO_REASON
        tags = ("quick",) if name in ("default", "tos inherit") else ()
        case("ipip %s: %s" % (name, what), send, world=world, fast=fast, slow=slow, tags=tags, **how)

    add("encap", [up(), up(size=0), up(size=1), up(size=1000)])
    add("decap", [down(), down(size=0), down(size=1), down(size=1000)])
    add("tcp both ways", [up(), down(), up(), down()], proto="tcp")
    add("encap ECN", [up(tos=t) for t in range(4)])
    add("encap DSCP EF with ECN", [up(tos=0xb8 | t) for t in range(4)], base=dict(tos=0xb8))
    add("encap DSCP CS2, TOS bits", [up(tos=0x50), up(tos=0x51)], base=dict(tos=0x50))
    add("encap TOS 0x10", [up(tos=0x10), up(tos=0x12)], base=dict(tos=0x10))
    add("encap DSCP changes", [up(tos=0xb8), up(tos=0x10), up(tos=0)], fast=ANY)
    add("encap DF", [up(df=True), up(df=False), up(df=True), up(rf=True)])
    add("encap ttl 255, 3, 2", [up(ttl=255), up(ttl=3), up(ttl=2)])
    add("encap ttl 1 and 0", [up(ttl=1), up(ttl=0)], slow="ttl")
    add("encap inner id", [up(id=0), up(id=0xffff), up(id=1, df=True)])
    add("decap ttl 255, 2", [down(ttl=255), down(ttl=2)])
    add("decap ttl 1 and 0", [down(ttl=1), down(ttl=0)], slow="ttl")
    add("decap outer ttl", [down(o_ttl=1), down(o_ttl=255)])
    add("decap outer ttl 0", [down(o_ttl=0)], fast=ANY)
    add("decap outer DF, id", [down(o_df=True, o_id=0), down(o_id=0xffff), down(df=True)])
    add("decap ECN legal", [down(o_tos=o, tos=i) for o, i in ECN_LEGAL])
    add("decap ECN unusual", [down(o_tos=o, tos=0) for o in (1, 2)], fast=ANY)
    add("decap ECN CE on Not-ECT", [down(o_tos=3, tos=0)], slow="ecn")
    add("decap outer DSCP", [down(o_tos=0xb8, tos=0), down(o_tos=0x2b, tos=1)], fast=ANY)
    add("decap inner DSCP", [down(tos=0xb8), down(tos=0xba, o_tos=3)],
        base=dict(down=dict(tos=0xb8)))


ECN_LEGAL = [(o, i) for o in range(4) for i in range(4) if i or not o]
for _name, _world in SETTINGS.items():
    settings(_name, _world)

for _o in range(4):
    for _i in range(4):
        _bad = _i == 0 and _o in (1, 2, 3)
        case("ipip decap ECN outer %d inner %d" % (_o, _i), [down(o_tos=_o, tos=_i)],
             fast=ANY if _bad else 1, tags=("quick",))
        case("ipip transit ECN outer %d inner %d" % (_o, _i), [up(o_tos=_o, tos=_i)],
             fast=ANY if _bad else 1, path=("far", "far2"))

for _name, _tun1 in (("default", {}), ("tos inherit", dict(tos="inherit")), ("ttl 9", dict(ttl=9)),
                     ("tos 0x22", dict(tos="0x22"))):
    _w = dict(tun1=_tun1)
    _p = ("far", "far2")
    case("ipip transit %s: both ways" % _name, [up(), down(), up(size=900), down()], world=_w, path=_p)
    case("ipip transit %s: ECN" % _name, [up(tos=t) for t in range(4)] +
         [up(tos=1, o_tos=3), up(tos=2, o_tos=3)], world=_w, path=_p)
    case("ipip transit %s: DSCP" % _name, [up(tos=0xb8, o_tos=0x48)], base=dict(tos=0xb8, o_tos=0x48),
         world=_w, path=_p)
    case("ipip transit %s: ttl 2" % _name, [up(ttl=2), down(ttl=2)], world=_w, path=_p)
    case("ipip transit %s: ttl 1" % _name, [up(ttl=1), down(ttl=1)], slow="ttl", world=_w, path=_p)
    case("ipip transit %s: tcp" % _name, [up(), down(), up()], proto="tcp", world=_w, path=_p)
    case("ipip transit %s: over the MTU" % _name, [up(full=1480), up(full=1480, df=True)],
         world=_w, path=_p)

case("ipip opened from far: udp", [up(), down(), up(tos=3)], path=("far", "client"))
case("ipip opened from far: tcp", [up(), down(), up(), down()], proto="tcp", path=("far", "client"))
case("ipip not answered: udp", [up(), up(), up(), up()], fast=0, slow="*", warm=False)
case("ipip no conntrack entry: tcp mid-stream", [up(), up(), up()], proto="tcp", fast=0, slow="*",
     warm=False)
case("ipip decap not answered: udp", [up(), up(), up()], fast=0, slow="*", warm=False,
     path=("far", "client"))
case("ipip one way tcp: handshake only", [up(flags="S"), up(flags="S"), up(flags="A")], proto="tcp",
     fast=0, slow="*", warm=False)
case("plain flow beside the tunnel", [up(), down()], path=("client", "plain"), fast=0, slow="*")
