# SPDX-License-Identifier: GPL-2.0
"""What GRO has put together on its way in: not as a sender says it is, but as the kernel made it, of
buffers of their own, with ids that count or do not."""
import socket
import time

from harness import net
from harness.engine import ANY
from harness.flow import Do, down, up

from .flavours import FLAVOURS

ENDS = {"client": ("c0", "c"), "far": ("f0", "f")}


def at_once(*packets):
    """Packets that the device gets at one time: fq keeps them until then."""
    def run(bed, flow):
        frames = [flow.frame(packet) for packet in packets]
        dev, ns = ENDS[frames[0][0]]
        with bed.ns[ns], socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as s:
            net.shell("modprobe -q sch_fq; tc qdisc replace dev %s root fq" % dev)
            net.send_at(s, dev, [frame for _, frame, _ in frames], time.monotonic_ns() + 100 * 10 ** 6)
            time.sleep(0.12)
            bed.drain()
            net.shell("tc qdisc del dev %s root" % dev)
    return Do(run)


# What is large is taken apart where it leaves, so that its segments can be looked at.
INTO = dict(vnet=True, offload=True, plain_devices=("und0", "f0", "c0"), lan_mtu=1500)
OUT = dict(INTO, plain_devices=("lan0", "f0", "c0"))
TCP = dict(flags="A", keep=1)


def four(way, equal=False, **fields):
    """What GRO makes one of, if it likes to."""
    return at_once(*[way(**{"size": 1000, "o_id": 0x4321 + n, **fields, "id": 0x1234 + n * (not equal)}) for n in range(4)])


def feature(dev, name, on=True):
    return Do(lambda bed, flow: net.feature(dev, name, on))


def tcp(fl, name, way, extra=(), **fields):
    fl.case("gso: put together" + name, [*extra, four(way, **{**TCP, **fields}), up(), down()], proto="tcp", world=INTO if way is up else OUT,
            fast=ANY)


def by_ids(fl):
    """Ids that do not count stay so as far as the kernel lets them: SKB_GSO_TCP_FIXEDID."""
    for equal, df in ((0, 0), (1, 0), (0, 1), (1, 1))[:(4 if fl.full else 2) if fl.family == 4 else 1]:
        name = "%s%s" % (", equal ids" * equal, ", DF" * df)
        tcp(fl, name + ": into it", up, equal=equal, df=bool(df))
        tcp(fl, name + ": out of it", down, equal=equal, df=bool(df))


def more(fl):
    for flags in ("AE", "AC"):
        tcp(fl, ", flags %s: into it" % flags, up, flags=flags)
        tcp(fl, ", flags %s: out of it" % flags, down, flags=flags)
    for tos, o_tos in ((2, 3), (1, 1), (0, 2)):
        tcp(fl, ", ECN %d in %d: out of it" % (tos, o_tos), down, tos=tos, o_tos=o_tos)
    fl.case("gso: put together, where the tunnel takes no chains", [
        feature("tun0", "tx-scatter-gather-fraglist", False), up(), up(), four(up, **TCP), up(), down()], proto="tcp",
        world=dict(INTO, id="chains"), fast=ANY)


# With rx-gro-list the kernel can fall over by itself when such a list leaves by a tunnel: skb_segment_list() makes no room.
UDP = "rx-udp-gro-forwarding"
# Of GRE's sequence numbers GRO wants nothing to do, and what comes out of the tunnel one by one is put together behind us.
VARIATIONS = {"gre-key", "gre-csum", "gre-nbma", "ip6ip6-limit", "ip6tnl-any", "fou-ipip", "gue-sit", "fou-gre", "gue-gre-csum",
              "fou-ip6ip6-limit-csum", "ext-gre-key", "ext-ip6tnl"}

for _fl in FLAVOURS:
    if not _fl.full and _fl.kind.name not in VARIATIONS:
        continue
    by_ids(_fl)
    if _fl.full:
        more(_fl)
    if _fl.full or _fl.kind.udp:
        for _way, _world in ((up, INTO), (down, OUT)):
            _fl.case("gso: put together, masqueraded, %s" % _way.__name__, [four(_way, **TCP), up(), down()], proto="tcp", fast=ANY,
                     world=dict(_world, nat=["post oifname tun0 masquerade"]))
            _fl.case("gso: udp put together, %s" % _way.__name__, [feature("lan0" if _way is up else "und0", UDP), _way(), _way(), four(_way), up(),
                     down()], world=dict(_world, id="udp " + _way.__name__), fast=ANY)
