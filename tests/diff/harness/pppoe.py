# SPDX-License-Identifier: GPL-2.0
"""PPPoE sessions of the router's, made as pppd makes them but without a word to the other side: both
know the session's number, and there is nothing to negotiate."""
import collections
import fcntl
import os
import socket
import struct

from . import frames as fr
from . import net

AF_PPPOX, PX_PROTO_OE = 24, 0
PPPIOCGCHAN, PPPIOCATTCHAN, PPPIOCCONNECT = 0x80047437, 0x40047438, 0x4004743a
PPPIOCNEWUNIT, PPPIOCSNPMODE, PPPIOCGMRU = 0xc004743e, 0x4008744b, 0x80047453
PPP_IP, NPMODE_DROP = 0x21, 1


class Session(collections.namedtuple("Session", "dev on peer number")):
    """dev: "ppp0"; on: the Ethernet device; peer: MAC of the other side"""

    def open(self):
        return Open(self)


class Open:
    """The session as long as it lasts. It is the current network namespace's."""

    def __init__(self, session):
        self.files, self.sock = [], socket.socket(AF_PPPOX, socket.SOCK_STREAM, PX_PROTO_OE)
        try:
            net.connect(self.sock, _address(session))
            self.unit = self.make_unit(session, self.channel())
        except BaseException:
            self.close()
            raise

    def channel(self):
        """A file that is the socket's end of PPP"""
        number = _ioctl(self.sock, PPPIOCGCHAN)
        fd = self.ppp()
        _ioctl(fd, PPPIOCATTCHAN, number)
        return fd

    def make_unit(self, session, channel):
        """A file that is the network device; it goes with the file."""
        fd = self.ppp()
        unit = _ioctl(fd, PPPIOCNEWUNIT, int(session.dev[3:]))
        _ioctl(channel, PPPIOCCONNECT, unit)
        return fd

    def ppp(self):
        fd = os.open("/dev/ppp", os.O_RDWR)
        self.files.append(fd)
        return fd

    def drop_ipv4(self):
        """As while a daemon is still negotiating."""
        fcntl.ioctl(self.unit, PPPIOCSNPMODE, struct.pack("ii", PPP_IP, NPMODE_DROP))

    def connected(self):
        try:
            return bool(_ioctl(self.sock, PPPIOCGMRU))
        except OSError:
            return False

    def close(self):
        while self.files:
            os.close(self.files.pop())
        self.sock.close()


def _address(session):
    """struct sockaddr_pppox"""
    return struct.pack("=HI", AF_PPPOX, PX_PROTO_OE) + struct.pack("!H", session.number) + fr.mac(session.peer) + \
        struct.pack("16s", session.on.encode())


def _ioctl(fd, what, value=0):
    return struct.unpack("i", fcntl.ioctl(fd, what, struct.pack("i", value)))[0]
