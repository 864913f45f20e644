# SPDX-License-Identifier: GPL-2.0
"""What else forwards on the same devices: a flowtable of nftables' and VRFs. Each
connection has one owner, and what is refused is refused by name."""
from harness import engine, net
from harness.engine import ANY, case
from harness.flow import Do, down, up

FLOWTABLE = """table ip beside {
flowtable f {
 hook ingress priority 0
 devices = { lan0, und0 }
}
chain adds {
 type filter hook forward priority 10;
 meta l4proto { tcp, udp } %s flow add @f
}
}"""


def refused(name):
    """The module has counted that reason, if it is armed at all."""
    def look(bed, flow):
        with open(engine.ARMED) as f:
            armed = f.read().startswith("Y")
        if armed and not net.module_counters().get(name):
            raise net.HarnessError("%s has not counted" % name)
    return Do(look)


TALK = [up(), down(), up(size=1000), down(size=1000), up(), down()]
for _proto in ("udp", "tcp"):
    _how = dict(proto=_proto, tags=("quick",))
    _tcp = ", tcp" * (_proto == "tcp")
    case("beside a flowtable: its connection, plain ones not asked for" + _tcp, TALK, path=("client", "plain"), fast=0, slow="*",
         world=dict(nft=FLOWTABLE % "ct original ip daddr 203.0.113.50"), **_how)
    case("beside a flowtable: its connection" + _tcp, TALK + [refused("refuse_owned")], path=("client", "plain"), fast=0, slow="*",
         world=dict(nft=FLOWTABLE % "ct original ip daddr 203.0.113.50", plain=True), **_how)
    case("beside a flowtable: our connection" + _tcp, TALK, world=dict(nft=FLOWTABLE % "ct original ip daddr 203.0.113.50", plain=True), **_how)
    case("beside a flowtable: our plain connection" + _tcp, TALK, path=("client", "plain"),
         world=dict(nft=FLOWTABLE % "ip daddr 203.0.113.51", plain=True), **_how)
    case("beside a flowtable: it wants tunnels too" + _tcp, TALK, world=dict(nft=FLOWTABLE % ""), fast=ANY, proto=_proto)
    case("beside a flowtable: it goes" + _tcp, TALK + [Do("nft delete table ip beside")] + TALK, path=("client", "plain"), fast=ANY,
         proto=_proto, world=dict(nft=FLOWTABLE % "", plain=True, id="flowtable goes" + _proto))
    case("VRF is refused" + _tcp, TALK + [refused("refuse_vrf")], fast=0, slow="*", proto=_proto, world=dict(setup=(
        "link add vrf0 type vrf table 10", "link set vrf0 up", "link set lan0 master vrf0",
        "neigh replace 10.1.0.2 lladdr 02:00:00:00:01:02 dev lan0 nud permanent", "route add 10.2.0.0/16 dev tun0 table 10",
        "route add 10.1.0.0/24 dev lan0")))
