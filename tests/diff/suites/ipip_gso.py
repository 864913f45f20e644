# SPDX-License-Identifier: GPL-2.0
"""Large TCP packets and checksums that are still to be filled in: injected and
captured with the virtio header, so that size, type and checksum state of what
leaves the router are compared as well."""
from harness.engine import ANY, case
from harness.flow import down, up

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
