# SPDX-License-Identifier: GPL-2.0
"""A wire in a tunnel that encrypts: the router's device is over0, the far end has one
called over. What is compared is what comes out of the far end, and of what is on the
wire below how much there is. It must be encrypted, all of it, whatever happens."""
import select
import struct
import time

from . import frames as fr
from . import layers, net, wireguard

NETS = {"client": ("lan0", "c0", "10.8.0.", "2001:db8:80::"), "far": ("und0", "f0", "10.8.1.", "2001:db8:81::")}
PROTOS = {"wireguard": fr.UDP, "xfrm": 50, "vti": 50, "vti6": 50}
CLEAR = "what should be encrypted"        # as if it were a wire
PINGERS = {"client": ("10.1.0.99", "10.1.0.1"), "far": ("192.0.2.99", "192.0.2.1")}


def speak_ipv6(dev):
    """The far end too, with no address that it was not given, and without delay."""
    for which in (dev, "default"):
        for name, value in (("addr_gen_mode", 1), ("dad_transmits", 0), ("mldv2_unsolicited_report_interval", 1), ("disable_ipv6", 0)):
            net.sysctl("net.ipv6.conf.%s.%s" % (which, name), value)


class Wire(net.Wire):
    """The far end's device, which has no Ethernet. The frames get a header that it does
    not have, so that the rest need not know."""
    seq = 0

    def open(self, dev):
        self.kept = []
        return super().open(dev)

    def send(self, frame, vnet_hdr=b""):
        try:
            self.sock.send(frame[14:])
        except OSError as e:
            raise net.HarnessError("%s: the far end cannot send: %s" % (self.name, e)) from e

    def take(self):
        got, self.kept = self.kept + super().take(), []
        return [net.ethernet(packet) for packet in got if not self.is_answer(packet)]

    @staticmethod
    def is_answer(packet):
        return packet[0] == 0x45 and packet[9] == fr.ICMP and packet[20] == 0 and packet[24:26] == b"FT"

    def ping(self):
        """There and back behind all that is on its way. A tunnel keeps the order."""
        self.seq += 1
        src, dst = PINGERS[self.name]
        self.sock.send(fr.ip(fr.icmp(8, 0, b"FT" + struct.pack("!H", self.seq & 0xffff)), src, dst, fr.ICMP))
        while True:
            if not select.select([self.sock], [], [], 20)[0]:
                raise net.HarnessError("%s: a ping through the tunnel was lost" % self.name)
            packet = self.sock.recv(1 << 17)
            self.kept.append(packet)
            if self.is_answer(packet) and packet[26:28] == struct.pack("!H", self.seq & 0xffff):
                return


class Below:
    """The wire below, seen from the far end."""

    def __init__(self, bed, name, kind):
        self.bed, self.kind, self.name = bed, kind, name + " below"
        _, far, prefix, _ = NETS[name]
        self.wire, self.peer = bed.wires[name], True
        self.tap = net.Wire(self.name, bed.ns["c" if name == "client" else "f"], far, "")
        if kind == "wireguard":
            wireguard.start("over0", "near", "far", prefix + "2")
            with bed.ns["c" if name == "client" else "f"]:
                wireguard.start("over", "far", "near", prefix + "1")

    def take(self):
        """Outer headers and lengths: all that there is to see. And what should not be.
        Whether a ping or an answer of the router's is first is a matter of time."""
        out, clear = [], []
        for frame in self.tap.take():
            if PROTOS[self.kind] != self.proto(frame):
                clear.append(frame)
            elif frame[12:14] == b"\x86\xdd":
                out.append(frame[:54] + b"\0" * (len(frame) - 54))
            elif self.kind != "wireguard" or frame[23] != fr.UDP or self.is_data(frame):
                out.append(layers.outside(frame, 34))
        return {self.name: sorted(out), CLEAR: clear}

    @staticmethod
    def proto(frame):
        """What is in the packet: also of a fragment, and of what an error quotes."""
        if frame[12:14] == b"\x86\xdd":
            at = 54 if frame[20] == 44 else 20
        elif frame[12:14] == b"\x08\x00":
            at = 51 if frame[23] == fr.ICMP and frame[34] == 3 else 23
        else:
            return None
        return frame[at] if at < len(frame) else None

    @staticmethod
    def is_data(frame):
        """No handshake and no sign of life: who sends those is a matter of time."""
        return frame[42] == 4 and len(frame) > 42 + 32

    def drain(self, markers):
        """WireGuard has workers of its own, which no marker waits for."""
        if self.kind != "wireguard":
            return
        if self.peer:
            self.wire.ping()
            markers()
        else:
            self.quiet(markers)

    def quiet(self, markers):
        """Nothing comes back any more: all is quiet when no device counts."""
        last, same = None, 0
        while same < 5:
            time.sleep(0.01)
            markers()
            now = net.link_stats(self.bed.rtnl)
            last, same = now, same + 1 if now == last else 0

    def remove_peer(self):
        wireguard.remove("over0", "far")
        self.peer = False

    def down(self):
        net.up("over0", False)
        self.peer = False

    def close(self):
        self.tap.close()
