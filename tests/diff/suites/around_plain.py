# SPDX-License-Identifier: GPL-2.0
"""Connections that use no tunnel, when the setting says so: forwarding from device to
device and back out of the same one. And address translation of every kind, with and
without a tunnel."""
import os

from harness import net
from harness.engine import ANY, case
from harness.flow import Do, down, up

PLAIN, HAIRPIN = ("client", "plain"), ("client", "lan2")
SIX = dict(kind="sit")          # a router that speaks IPv6, and a tunnel that carries it
OFF = {"net.ipv4.conf.all.send_redirects": 0, "net.ipv4.conf.lan0.send_redirects": 0}
ON = {"net.ipv4.conf.lan0.send_redirects": 1, "net.ipv4.conf.lan0.shared_media": 1}
TO_LAN2 = ("route add 10.4.0.0/16 via 10.1.0.3 dev lan0",)
TO_LAN2_6 = ("-6 route add 2001:db8:4::/48 via 2001:db8:1::3 dev lan0",)


def plain(bed, flow):
    """Is it the other way round from now on?"""
    if os.path.exists("/sys/module/nf_flowtable_tun"):
        net.run(os.path.join(os.environ.get("FTUN_MODULES", ""), "flowtun"), "set", "plain", "no")


def both(name, send, family=4, world=None, path=PLAIN, **how):
    """UDP and TCP, through a router whose setting says so."""
    world = dict(dict(plain=True, **(SIX if family == 6 else {})), **(world or {}))
    for proto in ("udp", "tcp"):
        own = dict(id=world["id"] + proto) if "id" in world else {}
        case("plain%s: %s%s" % (" 6" * (family == 6), name, ", tcp" * (proto == "tcp")), send, family=family, path=path, proto=proto,
             world=dict(world, **own), **how)


for _family in (4, 6):
    _quick = dict(family=_family, tags=("quick",))
    both("both ways", [up(), down(), up(size=1000), down(size=1000), up(size=1), down(size=1)], **_quick)
    both("TTL and ECN", [up(ttl=2), down(ttl=2), up(tos=1), down(tos=3)], **_quick)
    both("TTL is over", [up(ttl=1), down(ttl=1)], slow="ttl", family=_family)
    both("DSCP", [up(tos=0x28), down(tos=0x28)], fast=0, slow="dscp", family=_family)
    both("largest", [up(full=1500, df=True) if _family == 4 else up(full=1500), down(full=1500)], family=_family)
    both("too large", [up(full=1501, df=True) if _family == 4 else up(full=1501), up()], fast=(1, 1), family=_family, world=dict(id="large"))
    both("wrong checksum", [up(l4_csum="bad"), down(l4_csum="bad")], slow="l4_csum", family=_family)
    both("padding", [up(size=1, pad_to=90), down(size=1, pad_to=90)], family=_family)
    both("not asked for", [up(), down(), up(), down()], fast=0, slow="*", world=dict(plain=False), **_quick)
    both("no longer asked for", [up(), down(), Do(plain), up(), down(), up(), down()], fast=(2, 2), family=_family, world=dict(id="off"))
    both("rule drops it", [up(), down(), Do("nft insert rule %s ftd forward meta l4proto { tcp, udp } drop" % ("ip" if _family == 4 else "inet")),
                           up(hold=1), down(hold=1), up(hold=1), down(hold=1)], fast=(2, 2), family=_family, world=dict(id="drop"), tags=("quick",))

both("fragments", [up(size=100, id=3, piece=(0, 48)), up(size=100, id=3, piece=(48, None)), up()], fast=(1, 1))
both("IP options", [up(opts=b"\x01\x01\x01\x00"), down(opts=b"\x01\x01\x01\x00")], slow="options")
both("route to a tunnel", [up(), down(), Do("ip route add 203.0.113.50/32 dev tun0")] + [up(hold=1), down(hold=1)] * 2, fast=ANY,
     world=dict(id="to tunnel"))
for _family, _there in ((4, "ip route add 203.0.113.50/32 dev tun0"), (6, "ip -6 route add 2001:db8:c::50/128 dev tun0")):
    # It is put aside as one that uses no tunnel, until routes change.
    both("no longer asked for, route to a tunnel", [up(), down(), Do(plain)] + [up(), down()] * 4 + [Do(_there)] + [up(hold=1)] * 4,
         fast=(4, 5), family=_family, world=dict(id="aside"), tags=("quick",))

both("blackhole", [up(), down(), Do("ip route add blackhole 203.0.113.50/32")] + [up(hold=1), down(hold=1)] * 2, fast=ANY,
     world=dict(id="blackhole"))
both("next hop moves", [up(), down(), Do("ip route add 203.0.113.50/32 via 192.0.2.3")] + [up(), down()] * 2, fast=(4, 6),
     world=dict(id="next hop"))
both("encryption begins", [up(), down(), Do("ip xfrm policy add dir fwd src 10.1.0.0/16 dst 203.0.113.50 action block"),
                           Do("ip xfrm policy add dir out src 10.1.0.0/16 dst 203.0.113.50 action block")] +
     [up(hold=1), down(hold=1)] * 2, fast=ANY, world=dict(id="xfrm"))

# out by the device that it came in by
both("hairpin", [up(), down(), up(size=1000), down(size=1000)], path=HAIRPIN, world=dict(setup=TO_LAN2, sysctl=OFF), tags=("quick",))
both("hairpin, masquerade", [up(), down(), up(), down()], path=HAIRPIN,
     world=dict(setup=TO_LAN2, sysctl=OFF, nat=["post oifname lan0 ip daddr 10.4.0.0/16 masquerade"]))
both("hairpin, redirects begin", [up(), down(), Do("sysctl -qw net.ipv4.conf.lan0.send_redirects=1"), up(hold=1), down(hold=1)], path=HAIRPIN,
     world=dict(setup=TO_LAN2, sysctl=OFF, id="redirect"), fast=(2, 2),
     allow=("frame client", "snmp Icmp", "snmp Ip", "link lan0"))         # how often follows the clock
both("hairpin with redirects", [up(), down(), up(), down()], path=HAIRPIN, fast=0, slow="*", world=dict(setup=TO_LAN2, sysctl=ON),
     allow=("frame client", "snmp Icmp", "snmp Ip", "link lan0"))
both("hairpin", [up(), down(), up(), down()], family=6, path=HAIRPIN, fast=0, slow="*", world=dict(setup=TO_LAN2_6),
     allow=("frame client", "snmp Icmp", "snmp Ip", "link lan0"))

# Address translation: name -> (rules, what is dialled). TO is the far side's device.
NAT = {
    4: {"masquerade": (["post oifname TO masquerade"], None),
        "port forward": (["pre iifname lan0 meta l4proto { tcp, udp } th dport 80 dnat to FAR:5001"], ("10.1.0.100", 80)),
        "port forward and masquerade": (["pre iifname lan0 meta l4proto { tcp, udp } th dport 80 dnat to FAR:5001",
                                         "post oifname TO masquerade"], ("10.1.0.100", 80)),
        "netmap": (["post oifname TO snat ip prefix to ip saddr map { 10.1.0.0/24 : 10.77.1.0/24 }"], None)},
    6: {"masquerade": (["post oifname TO masquerade"], None),
        "port forward": (["pre iifname lan0 meta l4proto { tcp, udp } th dport 80 dnat ip6 to [FAR]:5001"], ("2001:db8:1::100", 80)),
        "port forward and masquerade": (["pre iifname lan0 meta l4proto { tcp, udp } th dport 80 dnat ip6 to [FAR]:5001",
                                         "post oifname TO masquerade"], ("2001:db8:1::100", 80)),
        "netmap": (["post oifname TO snat ip6 prefix to ip6 saddr map { 2001:db8:1::/64 : 2001:db8:77::/64 }"], None)},
}
ENDS = {"plain": ("und0", "203.0.113.50", "2001:db8:c::50"), "far": ("tun0", "10.2.0.2", "2001:db8:2::2")}
EACH = [up(), down(), up(size=0), down(size=1), up(l4_csum=0), down(size=1001), up(tos=2, ttl=2), down(ttl=2)]


def translated(family, end, name, rules, dial):
    dev, far = ENDS[end][0], ENDS[end][family == 6 and 2 or 1]
    nat = [r.replace("TO", dev).replace("FAR", far) for r in rules]
    world = dict(nat=nat, plain=end == "plain", **(SIX if family == 6 else {}))
    for proto in ("udp", "tcp"):
        send = [p for p in EACH if "l4_csum" not in p.fields or (proto == "udp" and family == 4)]
        case("nat %s, %s, IPv%d, %s" % (name, "plain" if end == "plain" else "tunnel", family, proto), send, world=world,
             path=("client", end), dial=dial, family=family, proto=proto, tags=("quick",) if name == "netmap" else ())


for _family, _kinds in NAT.items():
    for _name, (_rules, _dial) in _kinds.items():
        for _end in ENDS:
            translated(_family, _end, _name, _rules, _dial)

# Stateless: conntrack knows nothing of it, so what it does is no part of any proof.
NPT = "ip6tables-nft -t mangle -A POSTROUTING -o %s -j SNPT --src-pfx 2001:db8:1::/64 --dst-pfx 2001:db8:77::/64 &&" \
      "ip6tables-nft -t mangle -A PREROUTING -i %s -j DNPT --src-pfx 2001:db8:77::/64 --dst-pfx 2001:db8:1::/64"
for _end, (_dev, _, _) in ENDS.items():
    case("nat NPTv6, %s" % _end, [Do(NPT % (_dev, _dev))] + [up(hold=1), up(hold=1), up(hold=1), up(hold=1), up(hold=1)], fast=0, slow="*",
         family=6, path=("client", _end), warm=False, world=dict(SIX, plain=_end == "plain", needs="NPTv6", id="npt"))
