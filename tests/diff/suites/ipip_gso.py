# SPDX-License-Identifier: GPL-2.0
"""Large TCP packets and checksums that are still to be filled in: injected and
captured with the virtio header, so that size, type and checksum state of what
leaves the router are compared as well."""
import struct

from harness import net
from harness.engine import ANY, case
from harness.flow import Do, down, up

from .kinds_other import LAN_IN_TUN

ON = dict(vnet=True, offload=True, lan_mtu=1500)
WORLDS = {"": ON, " tos inherit": dict(ON, tun=dict(tos="inherit")),
          " masquerade": dict(ON, nat=["post oifname tun0 masquerade"]),
          " underlay without offloads": dict(ON, plain_devices=("und0",)),
          " LAN without offloads": dict(ON, plain_devices=("lan0",)),
          " nopmtudisc": dict(ON, tun=dict(pmtudisc=False))}
for _name, _w in WORLDS.items():
    case("ipip gso%s: tcp 4000 in segments of 1000" % _name, [up(size=4000, gso=1000), down(flags="A")], proto="tcp",
         world=_w, fast=ANY, tags=("quick",) if not _name else ())
    case("ipip gso%s: full segments" % _name, [up(size=1440 * 10, gso=1440), up(size=1440 * 3 + 1, gso=1440)],
         proto="tcp", world=_w, fast=ANY)
    case("ipip gso%s: largest" % _name, [up(size=1400 * 45, gso=1400)], proto="tcp", world=_w, fast=ANY)
    case("ipip gso%s: segments over the tunnel's MTU, DF" % _name, [up(size=4500, gso=1460, df=True)], proto="tcp",
         world=_w, fast=ANY)
    case("ipip gso%s: segments over the tunnel's MTU" % _name, [up(size=4500, gso=1460)], proto="tcp",
         world=_w, fast=ANY)
    case("ipip gso%s: ECN, DF, id" % _name, [up(size=3000, gso=1000, tos=2, df=True, id=0x7fff)], proto="tcp",
         world=_w, fast=ANY)
    case("ipip gso%s: FIN at the end" % _name, [up(size=3000, gso=1000, flags="FPA", keep=1)], proto="tcp",
         world=_w, fast=ANY)
    case("ipip gso%s: ttl 1" % _name, [up(size=3000, gso=1000, ttl=1)], proto="tcp", world=_w, fast=ANY)
    case("ipip gso%s: tcp checksum to be filled in" % _name, [up(size=700, partial=True), down()], proto="tcp",
         world=_w, fast=ANY)
    case("ipip gso%s: udp checksum to be filled in" % _name, [up(size=700, partial=True), up(size=1, partial=True),
                                                              down()], world=_w, fast=ANY)
    case("ipip gso%s: udp checksum to be filled in, padded" % _name, [up(size=1, partial=True, pad_to=60)], world=_w, fast=ANY)
    case("ipip gso%s: udp to be segmented" % _name, [up(size=4000, gso=1000)], world=_w, fast=ANY)
    case("ipip gso%s: not large" % _name, [up(), down(), up(size=1400), down(size=1400)], world=_w)

# Its IP header says that there is less of it than one segment has. Others have looked at it by then, but not at that.
case("ipip gso: tcp that is less than a segment", [up(size=4000, gso=1000, ip_len=940, hold=1), up(), down()], proto="tcp", world=ON,
     fast=dict(encap=1, decap=1), slow="gso", tags=("quick",))
case("ipip gso: tcp that is three segments of four", [up(size=4000, gso=1000, ip_len=2540, hold=1), up(), down()], proto="tcp", world=ON,
     fast=ANY)

# ---- from a virtual machine: the router is the first to look at it -------------------------------------

MACHINE = dict(LAN_IN_TUN, vnet=True, offload=True)
NEEDS_CSUM, TCPV4, UDP_L4 = 1, 1, 5


def said(packet, flags, kind, size, start=34, at=16):
    """A packet of which the sender says what it likes."""
    def run(bed, flow):
        wire, frame, _ = flow.frame(packet)
        bed.wires[wire].send(frame, struct.pack("<BBHHHH", flags, kind, start + 20, size, start, at))
    return Do(run)


def other_ids(bed, flow):
    """No two of its segments have the same id on the underlay, whichever large packet they are of."""
    bed.wires["far"].take()
    for _ in range(3):
        wire, frame, header = flow.frame(up(size=4000, gso=1000))
        bed.wires[wire].send(frame, header)
    bed.drain()
    ids = [frame[10 + 18:10 + 20] for frame in bed.wires["far"].take() if frame[10 + 12:10 + 14] == b"\x08\x00"]
    if len(ids) != 12 or len(set(ids)) != 12:
        raise net.HarnessError("ids of 12 segments: " + " ".join(i.hex() for i in ids))


for _name, _w in (("", MACHINE), (", nopmtudisc", dict(MACHINE, tun=dict(pmtudisc=False)))):
    _w = dict(_w, plain_devices=("und0", "f0"))
    case("ipip gso from a machine%s: ids of segments" % _name, [Do(other_ids)], proto="tcp", world=_w, fast=3, tags=("quick",))
for _name, _w in (("", MACHINE), (", underlay without offloads", dict(MACHINE, plain_devices=("und0",)))):
    case("ipip gso from a machine%s: tcp" % _name, [up(size=4000, gso=1000), up(size=1440 * 10, gso=1440), down()], proto="tcp", world=_w,
         fast=3)
    case("ipip gso from a machine%s: udp" % _name, [up(size=4000, gso=1000), down()], world=_w, fast=2)
    case("ipip gso from a machine%s: checksum is there" % _name, [said(up(size=4000), 0, TCPV4, 1000), up(), down()], proto="tcp",
         world=_w, fast=(3, 3))
    case("ipip gso from a machine%s: udp that is to be segmented as tcp" % _name, [
         said(up(size=4000, l4_csum="partial"), NEEDS_CSUM, TCPV4, 1000), up(), down()], world=_w, fast=(2, 2), slow="gso")
    case("ipip gso from a machine%s: checksum further in" % _name, [
         said(up(size=4000, l4_csum="partial", hold=1), NEEDS_CSUM, TCPV4, 1000, 74), up(), down()], proto="tcp", world=_w, fast=(2, 2),
         slow="gso")
    case("ipip gso from a machine%s: one segment, for its options" % _name, [
         up(size=995, gso=1000, tcp_opts=b"\1\1\x08\x0a" + b"\0" * 8, hold=1), up(), down()], proto="tcp", world=_w, fast=(2, 2), slow="gso")
