# SPDX-License-Identifier: GPL-2.0
"""What a TCP connection may do, and what others may try to do to it."""
from harness.engine import ANY, case
from harness.flow import Wait, down, up

LOOSE = dict(sysctl={"net.netfilter.nf_conntrack_tcp_be_liberal": 1})
WORLDS = (("", {}), (" (invalid dropped)", dict(filter="ct state invalid drop")), (" (liberal)", LOOSE),
          (" (masquerade)", dict(nat=["post oifname tun0 masquerade"])))
CLOSE = [up(flags="FA"), down(flags="A"), down(flags="FA"), up(flags="A")]
OPEN = [up(flags="S"), down(flags="SA"), up(flags="A")]

for _text, _w in WORLDS:
    def add(name, send, fast=ANY, **how):
        case("ipip tcp%s: %s" % (_text, name), send, proto="tcp", world=_w, fast=fast,
             tags=("quick",) if not _text else (), **how)

    add("data both ways", [up(size=1), up(size=1000), down(size=1400), up(flags="A"), down(flags="A")], fast=5)
    add("many packets", [up(size=500) for _ in range(8)] + [down(flags="A"), down(size=900), up(flags="A")], fast=11)
    add("zero window, window update", [down(flags="A", window=0), down(flags="A", window=9000), up()], fast=3)
    add("push, urgent", [up(flags="A", keep=1), up(flags="PAU", urg=3), up(flags="UA", keep=1)])
    add("ECN flags", [up(flags="PAE"), up(flags="PAC"), down(flags="PAEC", size=3), up(flags="AEC", keep=1)])
    add("timestamps and SACK", [up(tcp_opts=b"\1\1\x08\x0a" + b"\0\0\0\1" * 2),
                                down(flags="A", tcp_opts=b"\1\1\5\x0a" + b"\0\0\3\xe8\0\0\4\0")])
    add("malformed options", [up(tcp_opts=b"\x08\x00\0\0", dseq=0), up(tcp_opts=b"\x08\x28\0\0", dseq=0), up()])
    add("retransmission", [up(size=100), up(size=100, dseq=-100), down(flags="A"), up(size=10)], fast=4)
    add("keep-alive", [up(flags="A", dseq=-1), down(flags="A"), up(flags="A", dseq=-1, size=1, keep=1), down()])
    add("ahead of the window", [up(dseq=10000000), up(dseq=70000), up()])
    add("behind the window", [up(dseq=-10000000), up(dseq=-70000), up()])
    add("acknowledges the future", [up(dack=5000000), up()])
    add("acknowledges the past", [up(dack=-5000000, hold=1), up()])
    add("close", CLOSE)
    add("close by the other side", [down(flags="FA"), up(flags="A"), up(), up(flags="FA"), down(flags="A")])
    add("half closed, data goes on", [up(flags="FA"), down(flags="A"), down(), down(), up(flags="A"), down(size=700),
                                      down(flags="FA"), up(flags="A")])
    add("both close at once", [up(flags="FA"), down(flags="FA", dack=-1), up(flags="A"), down(flags="A")])
    add("FIN with data, sent twice", [up(flags="FPA", keep=1), up(flags="FPA", keep=1, dseq=-33), down(flags="A")])
    add("reset", [up(flags="R"), down(), up()])
    add("reset by the other side", [down(flags="RA"), up(), down()])
    add("reset out of window", [up(flags="R", dseq=5000000), down(flags="R", dseq=-9000000), up(), down()])
    add("SYN on the live connection", [up(flags="S", dseq=0), down(flags="A"), up(), down()])
    add("SYN on the live connection, other seq", [up(flags="S", dseq=3000000), down(flags="A"), up(), down()])
    add("SYN-ACK on the live connection", [down(flags="SA", dseq=0), up(), down()])
    add("no flags, all flags", [up(flags="", dseq=0), up(flags="FSRPAU", dseq=0), up(flags="SF", dseq=0),
                                up(flags="SR", dseq=0), up(flags="P", dseq=0), up(), down()])
    add("closed and opened again", CLOSE + [up(flags="S")] + [down(flags="SA"), up(flags="A"), up(), down(),
                                                              up(), down()])
    add("reset and opened again", [up(flags="RA")] + OPEN + [up(), down(), up(), down()])

for _n in range(1, 5):
    case("ipip tcp: learned during the handshake, %d packets" % _n,
         [up(flags="S"), down(flags="SA"), up(flags="A"), up(), down(), up(), down()][:2 + _n], proto="tcp",
         warm=False, fast=ANY)
case("ipip tcp transit: close", CLOSE, proto="tcp", path=("far", "far2"), fast=ANY)
case("ipip tcp opened from far: close", CLOSE, proto="tcp", path=("far", "client"), fast=ANY)
case("ipip tcp: pause, then data", [up(), Wait(1.2), up(), down()], proto="tcp", fast=3)
