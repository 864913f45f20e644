# SPDX-License-Identifier: GPL-2.0
"""What is between Ethernet's addresses and the packet: VLAN tags, a PPPoE session."""
import re
import struct

from . import frames as fr
from . import net

TAGS = {"q": 0x8100, "ad": 0x88a8}                              # 802.1Q, 802.1ad
ETH_PPPOE_DISCOVERY, ETH_PPPOE = 0x8863, 0x8864
PPP = {fr.ETH_IP: 0x0021, fr.ETH_IP6: 0x0057}
PACKET_AUXDATA, VLAN_VALID, TPID_VALID = 8, 1 << 4, 1 << 6
VLAN_ID = 0x0fff


def parse(words):
    """"ad7 q5 ppp9", from the outside in: VLAN tags as [(type, ID)] and the session's number, or None."""
    layers = [re.fullmatch(r"([a-z]+)(\d+)", word).groups() for word in words.split()]
    tags = [(TAGS[what], int(number)) for what, number in layers if what in TAGS]
    return tags, next((int(number) for what, number in layers if what == "ppp"), None)


class Layered(net.Wire):
    """A wire whose frames are all in such layers; the rest of the harness sees them without. What was
    taken off is put to the end of the frame, where it is compared too, and no field has its offset moved."""

    def __init__(self, name, ns, dev, mac, words):
        self.tags, self.session = parse(words)
        super().__init__(name, ns, dev, mac)

    def open(self, dev):
        s = super().open(dev)
        s.setsockopt(net.SOL_PACKET, PACKET_AUXDATA, 1)
        return s

    def send(self, frame, vnet_hdr=b""):
        self.sock.send(self.wrap(frame))

    def take(self):
        got = []
        while True:
            try:
                data, more, _, _ = self.sock.recvmsg(1 << 17, 64)
            except BlockingIOError:
                return got
            got.append(self.unwrap(_with_tag(data, more)))

    def wrap(self, frame):
        kind, packet = struct.unpack_from("!H", frame, 12)[0], frame[14:]
        if self.session is not None and kind in PPP:
            packet = struct.pack("!BBHHH", 0x11, 0, self.session, len(packet) + 2, PPP[kind]) + packet
            kind = ETH_PPPOE
        return frame[:12] + b"".join(struct.pack("!HH", *tag) for tag in self.tags) + struct.pack("!H", kind) + packet

    def unwrap(self, frame):
        """A frame that is in other layers, or none, stays as it is."""
        at = 12
        for tag in self.tags:
            if len(frame) < at + 6 or _tag(frame, at) != tag:
                return frame
            at += 4
        if self.session is None:
            return frame[:12] + frame[at:] + frame[12:at]
        return self.out_of_session(frame, at)

    def out_of_session(self, frame, at):
        if len(frame) < at + 10:
            return frame
        kind, _, session, _, proto = struct.unpack_from("!HHHHH", frame, at)
        inside = next((k for k, v in PPP.items() if v == proto), None)
        if (kind, session) != (ETH_PPPOE, self.session) or not inside:
            return frame
        return frame[:12] + struct.pack("!H", inside) + frame[at + 10:] + frame[12:at + 10]


class Tap(net.Wire):
    """The wire below a tunnel that has the harness's wire in it: what the tunnel's device put around
    each packet, up to its ports, and how long it all is. What is inside is looked at where it comes out."""

    def __init__(self, name, ns, dev):
        super().__init__(name + " below", ns, dev, "")

    def take(self):
        return [outside(frame, 38) if frame[12:14] == b"\x08\x00" else frame for frame in super().take()]


def outside(frame, end):
    """So many bytes of an IPv4 packet's frame, without the ID and the checksum that follows from it; and its length."""
    return frame[:18] + b"\0\0" + frame[20:24] + b"\0\0" + frame[26:end] + b"\0" * (len(frame) - end)


def _tag(frame, at):
    """Without the priority, which is compared where it is put to the end."""
    kind, tci = struct.unpack_from("!HH", frame, at)
    return kind, tci & VLAN_ID


def _with_tag(data, more):
    """A frame with its outermost tag, which the kernel keeps beside it."""
    for level, kind, aux in more:
        if (level, kind) != (net.SOL_PACKET, PACKET_AUXDATA):
            continue
        status, _, _, _, _, tci, tpid = struct.unpack_from("IIIHHHH", aux)      # struct tpacket_auxdata
        if status & VLAN_VALID:
            return data[:12] + struct.pack("!HH", tpid if status & TPID_VALID else TAGS["q"], tci) + data[12:]
    return data


def terminate(session, dst, src):
    """PADT: the peer ends the session."""
    return fr.eth(struct.pack("!BBHH", 0x11, 0xa7, session, 0), dst, src, ETH_PPPOE_DISCOVERY)
