# SPDX-License-Identifier: GPL-2.0
"""Sizes around every MTU, and path MTUs learned while the flow is fast."""
import struct

from harness import frames as fr
from harness.engine import ANY, case
from harness.flow import Do, Raw, down, up
from harness.sites import FAR, SITES, UND0


def around(mtu):
    return (mtu - 1, mtu, mtu + 1, mtu + 8, mtu + 21)


def encap(name, world, mtu, sizes, **how):
    """Sizes up to mtu are fast, larger ones are the slow path's to answer.
    TCP sends the same bytes again and again, so as to stay inside the window."""
    for df in (True, False):
        for proto in ("udp", "tcp"):
            what = "ipip size %s: encap %s %s" % (name, proto, "DF" if df else "no DF")
            case(what, [up(full=n, df=df, dseq=0) for n in sizes if n <= mtu], world=world, proto=proto, **how)
            case(what + ", too big", [up(full=n, df=df, dseq=0) for n in sizes if n > mtu], world=world,
                 proto=proto, slow=("mtu", "gso"), **how)


encap("1480/1500", {}, 1480, around(1480) + (1500,), tags=("quick",))
encap("tunnel 1400", dict(tun_mtu=1400), 1400, around(1400) + (1480, 1481))
encap("underlay 1300", dict(und_mtu=1300, tun_mtu=1480), 1280, around(1280) + around(1300) + around(1480))
encap("tunnel 1600", dict(tun_mtu=1600), 1480, around(1480) + around(1600))

_NO = dict(tun=dict(pmtudisc=False))
for _df in (True, False):
    case("ipip size nopmtudisc: DF %s" % _df, [up(full=n, df=_df) for n in around(1480)], world=_NO, fast=ANY)
    case("ipip size nopmtudisc, underlay 1300: DF %s" % _df,
         [up(full=n, df=_df) for n in around(1280) + around(1480)],
         world=dict(und_mtu=1300, tun_mtu=1480, **_NO), fast=ANY)
    case("ipip size nopmtudisc, tunnel 1600: DF %s" % _df,
         [up(full=n, df=_df) for n in around(1480) + around(1600)], world=dict(tun_mtu=1600, **_NO), fast=ANY)

_LAN = dict(lan_mtu=1300)
for _df in (True, False):
    case("ipip size LAN 1300: decap DF %s" % _df, [down(full=n, df=_df) for n in (1299, 1300)], world=_LAN)
    case("ipip size LAN 1300: decap DF %s, too big" % _df,
         [down(full=n, df=_df) for n in (1301, 1308, 1480)], world=_LAN, slow=("mtu", "gso"))
    case("ipip size LAN 1300: decap tcp DF %s, too big" % _df, [down(full=1301, df=_df)], proto="tcp",
         world=_LAN, slow=("mtu", "gso"))
    case("ipip size decap: frame larger than the underlay's MTU, DF %s" % _df,
         [down(full=1481, df=_df)], fast=ANY)

_W2 = dict(tun1=dict(), setup=("link set tun1 mtu 1300",))
for _df in (True, False):
    case("ipip size transit: tun1 1300, DF %s" % _df, [up(full=n, df=_df) for n in (1299, 1300)],
         path=("far", "far2"), world=_W2)
    case("ipip size transit: tun1 1300, DF %s, too big" % _df, [up(full=n, df=_df) for n in (1301, 1480)],
         path=("far", "far2"), world=_W2, slow=("mtu", "gso"))

case("ipip size: route with mtu", [up(full=1200, df=True), up(full=1201, df=True), up(full=1201)],
     world=dict(setup=("route replace 10.2.0.0/16 dev tun0 mtu 1200",)), fast=ANY)
case("ipip size: route with mtu lock", [up(full=1200, df=True), up(full=1201, df=True), up(full=1201)],
     world=dict(setup=("route replace 10.2.0.0/16 dev tun0 mtu lock 1200",)), fast=ANY)
case("ipip size: underlay route with mtu", [up(full=1180, df=True), up(full=1181, df=True), up(full=1181)],
     world=dict(setup=("route replace 203.0.113.0/24 via 192.0.2.2 dev und0 mtu 1200",)), fast=ANY)


def too_big(mtu, src="192.0.2.2", dst=UND0, quoted=None):
    """An underlay router's answer to an outer packet."""
    inner = fr.ipv4(b"\0" * 8, "10.1.0.2", "10.2.0.2", fr.UDP)
    quote = quoted or fr.ipv4(inner, UND0, FAR, fr.IPIP, df=True)[:56]
    site = SITES["far"]
    message = fr.icmp(3, 4, struct.pack("!HH", 0, mtu), quote)
    return Raw("far", fr.eth(fr.ipv4(message, src, dst, fr.ICMP), site.router_mac, site.mac))


def learned(name, world, **how):
    """The last packets are over or under the learned 1300 - 20."""
    fast = how.pop("fast", ANY)
    for df in (True, False):
        case("ipip pmtu learned%s: DF %s" % (name, df),
             [up(full=1480, df=df), too_big(1300)] + [up(full=n, df=df) for n in (1480, 1280, 1281, 1480, 100)],
             world=dict(world, id="pmtu %s" % df), fast=fast, **how)


learned("", {}, tags=("quick",))
learned(", tos inherit", dict(tun=dict(tos="inherit")))
learned(", nopmtudisc", dict(tun=dict(pmtudisc=False)))
learned(", local any", dict(tun=dict(local=None)))
case("ipip pmtu learned, then flushed",
     [up(full=1480, df=True), too_big(1300), up(full=1480, df=True), Do("ip route flush cache"),
      up(full=1480, df=True), up(full=1480, df=True)], world=dict(id="pmtu flush"), fast=ANY)
case("ipip pmtu learned: tcp", [up(full=1480, df=True), too_big(1300), up(full=1480, df=True, dseq=0),
                                up(full=1280, df=True)], proto="tcp", world=dict(id="pmtu tcp"), fast=ANY)


def unreachable(type, code):
    inner = fr.ipv4(b"\0" * 8, "10.1.0.2", "10.2.0.2", fr.UDP)
    site = SITES["far"]
    message = fr.icmp(type, code, data=fr.ipv4(inner, UND0, FAR, fr.IPIP)[:56])
    return Raw("far", fr.eth(fr.ipv4(message, "192.0.2.2", UND0, fr.ICMP), site.router_mac, site.mac))


for _t, _c, _name in ((3, 0, "net unreachable"), (3, 1, "host unreachable"), (3, 2, "protocol unreachable"),
                      (11, 0, "time exceeded"), (11, 1, "reassembly time"), (12, 0, "parameter problem")):
    case("ipip underlay ICMP %s: the tunnel reports it" % _name,
         [up(), unreachable(_t, _c), up(), up(), up()], fast=ANY, world=dict(id="icmp %d %d" % (_t, _c)))
case("ipip underlay ICMP unreachable: ttl 64", [up(), unreachable(11, 0), up(), up(), up()], fast=ANY,
     world=dict(tun=dict(ttl=64), id="icmp ttl"))
