# SPDX-License-Identifier: GPL-2.0
"""What a packet has besides its bytes, and who looks at it: mark and priority, the flow
label that chooses a route, the conntrack entry, the device that it came in by, where
a checksum is to be written, how it was put together."""
import os
import socket
import struct
import time

from harness import bpf, frames as fr
from harness import net
from harness.engine import ANY, case
from harness.flow import Do, Wait, down, up
from harness.sites import SITES

from .around_link import WORLDS
from .ipip_change import tap

# Mark and priority from a netdev chain, by length; a route by mark.
MARKS = ("nft 'add table netdev early; add chain netdev early in { type filter hook ingress device %s priority 0; }; "
         "add rule netdev early in %s length %d meta %s set %d'")
case("traits: a netdev chain gives some packets a mark that a rule routes by",
     [Do(MARKS % ("lan0", "ip", 100, "mark", 5)), up(), up(), up(full=100), up(), down()], fast=(2, 4),
     world=dict(id="mark", setup=("rule add fwmark 5 table 55", "route add blackhole default table 55")), tags=("quick",))
case("traits: a mark inside changes the route out of the tunnel",
     [Do(MARKS % ("und0", "ip", 120, "mark", 5)), down(), down(), down(full=100), down(), up()], fast=(2, 4),
     world=dict(id="mark back", setup=("rule add fwmark 5 table 55", "route add blackhole default table 55")))
case("traits: a netdev chain gives some packets a priority, which a VLAN's tag shows",
     [Do(MARKS % ("lan0", "ip6", 60, "priority", 3)), up(), up(), up(full=100), up(), down()], fast=(1, 4), family=6,
     world=dict(WORLDS["underlay in a VLAN"], id="priority", kind="sit", setup=WORLDS["underlay in a VLAN"]["setup"] + (
         "link set und0.5 type vlan egress-qos-map 3:6",)))

# IPv6's flow label has a say among next hops, so that a sender can leave one that is dead.
LABELS = [up(flow=n) for n in range(1, 13)]
HOPS = "ip -6 route replace 2001:db8:2::/64 nexthop via fe80::9 dev tun0 nexthop via fe80::%d dev %s"
for _kind in ("sit", "ip6ip6"):
    case("traits: flow labels spread over two tunnels, %s" % _kind, [Do(HOPS % (9, "tun1"))] + LABELS + LABELS, family=6, fast=ANY,
         world=dict(id="labels " + _kind, kind=_kind))
case("traits: several next hops, but always the same flow label", [Do(HOPS % (8, "tun0"))] + [up(flow=7) for _ in range(7)], family=6, fast=(3, 6),
     world=dict(id="a label", kind="sit"))

# Bridges, filters and shapers may ask for the conntrack entry.
BRIDGE = Do("modprobe -q nf_conntrack_bridge; nft 'add table bridge b; add chain bridge b out { type filter hook output priority 0; }; "
            "add rule bridge b out ct state invalid,untracked drop'")
for _text, _world in (("LAN", "LAN in a bridge"), ("underlay", "underlay in a bridge")):
    case("traits: bridge chain asks for the connection, %s" % _text, [BRIDGE, up(), down(), up(), down()], fast=ANY,
         world=dict(WORLDS[_world], id="bridge ct " + _text))
case("traits: a filter asks for the device that a packet came in by", [
    Do("modprobe -qa sch_ingress cls_u32 act_gact; tc qdisc add dev und0 clsact && "
       "tc filter add dev und0 egress protocol ip u32 match u32 0 0 indev lan0 action drop && "
       "tc qdisc add dev lan0 clsact && tc filter add dev lan0 egress protocol ip u32 match u32 0 0 indev und0 action drop"),
    up(), down(), up(), down()], fast=ANY, world=dict(id="indev"))
case("traits: the tunnel is the device that a packet came in by", [
    Do("modprobe -qa sch_ingress cls_u32 act_gact; tc qdisc add dev lan0 clsact && "
       "tc filter add dev lan0 egress protocol ip u32 match u32 0 0 indev tun0 action drop"),
    up(), down(), up(), down()], fast=ANY, world=dict(id="indev tunnel"))

# What the underlay's qdisc drops is an error of an IPv6 tunnel, but not of an IPv4 one.
for _kind, _family in (("ipip", 4), ("sit", 6), ("ip6ip6", 6), ("ip6gre", 4)):
    case("traits: qdisc on the underlay drops all, %s %d" % (_kind, _family), [
        Do("modprobe -qa sch_ingress cls_matchall act_gact; tc qdisc add dev und0 clsact && tc filter add dev und0 egress matchall action drop"),
        up(), up(), up()], family=_family, fast=ANY, world=dict(id="drops", kind=_kind))

case("traits: a socket of one protocol on the tunnel", [tap("tun0", outgoing=False, protocol=fr.ETH_IP), up(), down(), down()], fast=dict(encap=1), world=dict(id="socket"))


def behind(way):
    """A UDP packet with padding, in which a checksum is to be written."""
    def run(bed, flow):
        wire, frame, _ = flow.frame(way(size=20, l4_csum="partial", pad_to=100))
        bed.wires[wire].send(frame, struct.pack("<BBHHHH", 1, 0, 0, 0, 70, 6))
    return Do(run)


case("traits: checksum to be written behind the end", [up(size=20), behind(up), up()], fast=2, slow="header",
     world=dict(id="behind", vnet=True, offload=True), tags=("quick",))


SUMMED = down(size=600, o_udp_csum=None)


def pasted(bed, flow):
    """Four datagrams of a tunnel in UDP, put together by GRO where nobody knew what they are."""
    one = flow.frame(SUMMED)[1]
    start, each = 14 + 20, len(one) - 14 - 20 - 8
    inner = b"".join(flow.frame(SUMMED)[1][start + 8:] for _ in range(4))
    sport, dport = struct.unpack_from("!HH", one, start)
    site = SITES["far"]
    src, dst = site.outers[4]
    whole = fr.ip(fr.udp(inner, src, dst, sport, dport, l4_csum="partial"), src, dst, fr.UDP)
    bed.wires["far"].send(one[:14] + whole, struct.pack("<BBHHHH", 1, 5, start + 8, each, start, 6))


for _kind in ("fou-ipip", "gue-ipip"):
    case("traits: datagrams of a tunnel put together, %s" % _kind, [SUMMED, Do(pasted), SUMMED], fast=2, slow="gso",
         base=dict(o_udp_csum=None),
         world=dict(id="pasted", kind=_kind, vnet=True, offload=True, needs=net.UDP_GSO))


# A program in the forward chain, of which the kernel tells nobody: within a second it holds.
LINKS = []


def program(bed, flow):
    LINKS.append(bpf.attach(bed.ns["r"], 2, 2))


def program_gone(bed, flow):
    os.close(LINKS.pop())


case("traits: a BPF program drops what is forwarded", [up(), down(), Do(program), Wait(2.5), up(), down(), Do(program_gone), Wait(0.2), up(), down()],
     fast=ANY, world=dict(id="bpf", needs=bpf.NEEDS))


# When a socket wants its packet to leave is over where it comes out of a tunnel: ip_local_deliver(). Elsewhere
# a router keeps to it.
def later(way):
    """A packet that is to leave in an hour, which is what fq does not wait for."""
    def run(bed, flow):
        wire, frame, _ = flow.frame(way())
        dev, ns = {"client": ("c0", "c"), "far": ("f0", "f")}[wire]
        with bed.ns[ns], socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as s:
            net.send_at(s, dev, [frame], time.monotonic_ns() + 3600 * 10 ** 9)
    return Do(run)


for _kind in ("ipip", "ip6tnl-any", "fou-gre"):
    case("traits: a packet has a time to leave, %s" % _kind, [
        Do("modprobe -qa sch_fq; tc qdisc add dev lan0 root fq && tc qdisc add dev und0 root fq"), up(), down(), later(down), later(up), down(), up()],
        fast=4, world=dict(id="txtime", kind=_kind))


def confirms(bed, flow):
    """A packet of a sender on this machine, who knows that it gets through."""
    wire, frame, _ = flow.frame(up())
    src, _, dst, _ = flow.view["up"]
    with bed.ns["c"], socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
        net.shell("ip addr add %s/24 dev c0; ip route add default via 10.1.0.1; ip neigh add 10.1.0.1 lladdr %s dev c0 nud permanent" % (
            src, SITES[wire].router_mac))
        s.sendto(frame[14:], socket.MSG_CONFIRM, (dst, 0))
        bed.drain()
        net.shell("ip addr flush dev c0; ip neigh flush dev c0 nud permanent")


case("traits: the sender knows that the neighbour answers", [
    Do("sysctl -qw net.ipv4.neigh.und0.delay_first_probe_time=1; ip neigh replace 192.0.2.2 lladdr 02:00:00:00:02:02 dev und0 nud stale"),
    up(), Wait(0.3), Do(confirms), Wait(1.5)], fast=2, world=dict(id="confirm"))


def xdp(bed, flow):
    LINKS.append(bpf.attach_xdp(bed.ns["f"], "f0"))


# What tc sends here by another device is marked, until the stack has it. With the mark no XDP of the kernel's looks at it.
case("traits: XDP behind the router drops what tc has sent here by another device", [
    Do("modprobe -qa sch_ingress cls_matchall act_mirred; tc qdisc add dev lan0 clsact && "
       "tc filter add dev lan0 ingress matchall action mirred ingress redirect dev lan9"),
    up(), Wait(1), up(), up(), up(), Do(xdp), up(), up(), Do(program_gone), up()], fast=ANY,
    world=dict(id="redirect", needs=bpf.XDP, setup=("link add lan9 type veth peer name lan8", "link set lan8 up", "link set lan9 up")))
