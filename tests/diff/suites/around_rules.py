# SPDX-License-Identifier: GPL-2.0
"""Rules change while a connection is fast: whatever the new ones say of it, they say
of its next packet. Chains that see the inner packet, and those that see the outer."""
from harness.engine import ANY, case
from harness.flow import Do, Wait, down, up

AFTER = [up(hold=1), down(hold=1), up(hold=1), down(hold=1)]
CHAIN = "nft add chain ip ftd %s '{ type filter hook %s priority %d; }'; nft add rule ip ftd %s %s"


def chain(hook, rule, priority=0):
    return CHAIN % ("late", hook, priority, "late", rule)


def change(name, what, protos=("udp", "tcp"), world=None, fast=ANY, **how):
    for proto in protos:
        case("rules: %s%s" % (name, ", tcp" if proto == "tcp" else ""), [up(), down(), Do(what)] + AFTER,
             world=dict(world or {}, id="rules" + name + proto), fast=fast, proto=proto, **how)


# chains that see the inner packet
for _hook in ("prerouting", "forward", "postrouting"):
    change("drop at " + _hook, chain(_hook, "ip saddr 10.1.0.2 drop", 10), tags=("quick",))
    change("drop answers at " + _hook, chain(_hook, "ip daddr 10.1.0.2 drop", 10))
change("reject", chain("forward", "ip saddr 10.1.0.2 reject", 10))
change("reject with reset", chain("forward", "ip saddr 10.1.0.2 reject with tcp reset", 10), protos=("tcp",))
change("change the TTL", chain("forward", "ip ttl set 9", 10))
change("change the DSCP", chain("forward", "ip dscp set cs3", 10))
change("change the mark", chain("forward", "meta mark set 5", 10))
change("notrack", chain("prerouting", "ip saddr 10.1.0.2 notrack", -310))

# chains that see the outer packet
change("outer packet dropped at output", chain("output", "ip protocol 4 drop"), tags=("quick",))
change("outer packet dropped at input", chain("input", "ip protocol 4 drop"), tags=("quick",))
change("outer packet dropped at prerouting", chain("prerouting", "ip protocol 4 drop"))
change("outer packet dropped at postrouting", chain("postrouting", "ip protocol 4 drop"))
change("outer packet marked", chain("output", "ip protocol 4 meta mark set 7") + "; ip route add default via 192.0.2.3 dev und0 table 9;"
       "ip rule add fwmark 7 table 9", protos=("udp",))
change("outer TTL changed", chain("output", "ip protocol 4 ip ttl set 77"))

# sets, maps, other ways to change what rules mean
SET = dict(nft="table ip s {\nset bad {\ntype ipv4_addr\n}\nchain f {\ntype filter hook forward priority 5;\nip saddr @bad drop\n}\n}")
change("element added to a set", "nft add element ip s bad { 10.1.0.2 }", world=SET, tags=("quick",))
change("element of another address", "nft add element ip s bad { 10.99.0.2 }", world=SET, fast=(2, 6))
change("table deleted", "nft delete table ip s", world=SET, fast=(2, 6))
change("table dormant", "nft add table ip s '{ flags dormant; }'", world=SET, fast=(2, 6))
change("ruleset flushed", "nft flush ruleset")
change("iptables", "iptables-nft -A FORWARD -s 10.1.0.2 -j DROP")
change("iptables, a mark", "iptables-nft -t mangle -A FORWARD -j MARK --set-mark 3")
change("iptables, outer", "iptables-nft -A OUTPUT -p 4 -j DROP")

# what conntrack knows of the connection
MARKED = dict(filter="ct mark 9 drop")
change("conntrack mark", "conntrack -U -m 9 >/dev/null 2>&1; true", world=MARKED, tags=("quick",))
change("conntrack mark of the inner connection", "conntrack -U -s 10.1.0.2 -m 9 >/dev/null", world=MARKED)
change("conntrack mark of the outer connection", "conntrack -U -p 4 -m 9 >/dev/null",
       world=dict(needs="conntrack 1.4.8", nft="table ip o {\nchain o {\ntype filter hook output priority 0;\nct mark 9 drop\n}\n"
                      "chain i {\ntype filter hook input priority 0;\nct mark 9 drop\n}\n}"))
change("conntrack entry deleted", "conntrack -D -s 10.1.0.2 >/dev/null")
change("outer conntrack entry deleted", "conntrack -D -p 4 >/dev/null")


def flips(times):
    """A rule comes and goes; after each change a packet either way."""
    steps = []
    for _ in range(times):
        steps += [Do("nft add chain ip ftd flip '{ type filter hook forward priority 20; policy drop; }'"), up(hold=1), down(hold=1),
                  Do("nft delete chain ip ftd flip"), up(hold=1), down(hold=1), up(hold=1), down(hold=1)]
    return steps


case("rules: a policy flips twenty times", flips(20), world=dict(id="flips"), fast=ANY)
case("rules: a policy flips twenty times, tcp", flips(20), world=dict(id="flips tcp"), fast=ANY, proto="tcp")

case("rules: none changes", [up(), down(), Wait(1.5), up(), down(), Wait(1.5), up(), down()], proto="tcp", fast=6)

# Nobody is told of these. A second later they hold, whether the table was there before or not.
for _name, _there in (("new table", ""), ("old table", "iptables-legacy -A FORWARD -s 10.9.9.9")):
    case("rules: legacy iptables, " + _name,
         [Do(_there or "true"), up(), down(), Do("iptables-legacy -A FORWARD -s 10.1.0.2 -j DROP"), Wait(2.5)] + AFTER +
         [Do("iptables-legacy -F FORWARD"), Wait(2.5)] + AFTER, world=dict(id="legacy " + _name, needs="legacy iptables"), fast=ANY)

case("rules: a set of ipset's, iptables-nft", [Do("ipset create bad hash:ip; iptables-nft -A FORWARD -m set --match-set bad src -j DROP"),
                                              up(), down(), Do("ipset add bad 10.1.0.2"), Wait(2.5)] + AFTER,
     undo=["iptables-nft -F FORWARD; ipset destroy; for n in $(seq 20); do modprobe -qr xt_set ip_set_hash_ip ip_set && break; sleep 0.1; done"],
     world=dict(id="ipset", needs="ipset as a module"), fast=ANY)
case("rules: a timeout that is fixed", [up(), down(), Do("nft insert rule ip ftd forward ct state new drop"),
                                        Do("conntrack -U -s 10.1.0.2 -u ASSURED,SEEN_REPLY,FIXED_TIMEOUT -t 3 >/dev/null")] +
     [up(hold=1), down(hold=1), Wait(0.7)] * 8, world=dict(id="fixed timeout"), fast=ANY)

# Rules that set the DSCP, before the route is looked up and after, of all packets and of inner ones alone.
QOS = "table inet qos {\n chain marks {\n type filter hook %s priority %d;\n %s ip%s dscp set %s\n }\n}\n"
for _hook, _prio in (("prerouting", -150), ("prerouting", -350), ("forward", 0), ("postrouting", 0), ("output", 0)):
    for _match in ("", "meta l4proto { tcp, udp }"):
        for _tos in (None, "inherit"):
            _world = dict(nft=QOS % (_hook, _prio, _match, "", "cs3"), tun=dict(tos=_tos) if _tos else {})
            _name = "DSCP set at %s %d%s%s" % (_hook, _prio, ", inner" if _match else "", ", tos inherit" if _tos else "")
            # An outer DSCP that is neither the tunnel's nor the inner one.
            _how = dict(refused="mismatch", fast=ANY) if _tos and _hook == "output" and not _match else {}
            case("rules: " + _name, [up(), down(), up(tos=1), down(tos=2), up(tos=3), down(size=900, o_tos=3, tos=1)], world=_world,
                 tags=("quick",) if _tos and not _match else (), **_how)
            case("rules: %s, tcp" % _name, [up(), down(), up(), down()], world=_world, proto="tcp", **_how)
            case("rules: %s, other DSCP" % _name, [f(tos=t) for t in (0xb8, 0xb8, 0x60, 0x62, 0) for f in (up, down)], world=_world, fast=ANY)
for _kind in ("ip6ip6", "sit", "gre"):
    for _hook in ("prerouting", "forward"):
        case("rules: DSCP set at %s, %s" % (_hook, _kind), [up(), down(), up(tos=1), down(tos=2), up(tos=3), down(size=900)], family=6,
             world=dict(kind=_kind, nft=QOS % (_hook, -150, "", "6", "ef")), tags=("quick",))
case("rules: DSCP set, routes change", [up(), down(), Do("ip route add 172.20.0.0/16 dev lan0"), up(), down(), up(), down()], fast=ANY,
     world=dict(id="dscp routes", nft=QOS % ("prerouting", -150, "ip saddr 10.1.0.2", "", "cs3"),
                setup=("route add 10.2.0.0/16 tos 0x60 dev tun1",)))
case("rules: DSCP not set any more", [up(), down(), Do("nft delete table inet qos"), up(), down(), up(), down()], fast=ANY,
     world=dict(id="dscp gone", nft=QOS % ("forward", 0, "", "", "cs3")))

# Copies of other packets go out by the tunnel's device while it swallows the connection's own: none of them is the outer
# packet of one of those, even if it is of the other family.
COPY = """table ip twice {
 chain copy {
  type filter hook prerouting priority -10;
  ip daddr 10.2.0.77 dup to 10.2.0.77 device "tun0"
 }
}"""
for _kind in ("ipip", "ipip6", "ip6gre"):
    case("rules: copies into the tunnel, " + _kind, [up(size=60), down(), Do("tc qdisc add dev tun0 root netem loss 100%")] +
         [up(size=60), up(dst="10.2.0.77", size=120)] * 6 + [Do("tc qdisc del dev tun0 root"), up(), up(), down()],
         world=dict(kind=_kind, nft=COPY, id="copies"), fast=ANY)

# A zone of one direction only: the other has the default one.
ZONE = """table ip zones {
 chain in {
  type filter hook prerouting priority -300;
  ip protocol 4 ct %s zone set 5
 }
 chain out {
  type filter hook output priority -300;
  ip protocol 4 ct %s zone set 5
 }
}"""
for _dir in ("original", "reply"):
    case("rules: a zone for the outer packets' %s direction" % _dir, [up(), down(), down(), up(), down()],
         world=dict(id="zone " + _dir, nft=ZONE % (_dir, _dir)))
