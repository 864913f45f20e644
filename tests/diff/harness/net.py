# SPDX-License-Identifier: GPL-2.0
"""Namespaces, wires and counters without a process per question: a slow
emulated guest starts a process in the time of a dozen packets."""
import contextlib
import ctypes
import errno
import fcntl
import functools
import os
import select
import shlex
import socket
import struct
import subprocess
import time

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET, MS_BIND, MNT_DETACH = 0x40000000, 4096, 2
ETH_P_ALL = 3
SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 15, 23
SO_RCVBUFFORCE = 33


class HarnessError(Exception):
    """The test bed itself failed; nothing was compared."""


def _call(name, *args):
    if getattr(_libc, name)(*args) != 0:
        err = ctypes.get_errno()
        raise OSError(err, "%s: %s" % (name, os.strerror(err)))


def run(*argv, stdin=None, check=True):
    """A process in the current network namespace; its output."""
    done = subprocess.run(argv, input=stdin, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    if check and done.returncode:
        raise HarnessError("%s: exit code %d\n%s%s" % (
            " ".join(argv), done.returncode, done.stdout, stdin or ""))
    return done.stdout


PROGRAMS = ("ip", "nft", "bridge", "sysctl")       # no words of a shell's own


def shell(line, check=True):
    """A line of shell. Commands one after the other need no shell; the last one's exit code counts."""
    commands = None if set(line) & set("$`*?~\\\n") else _commands(line)
    if not commands:
        return run("sh", "-c", line, check=check)
    return "".join([command(words, check and words is commands[-1]) for words in commands])


def _commands(line):
    """Its commands as lists of words, or None if there is more to it than semicolons."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&<>()")
    lexer.whitespace_split, lexer.commenters = True, ""
    out = [[]]
    for word in lexer:
        if word == ";":
            out.append([])
        elif word and set(word) <= set(";|&<>()"):
            return None
        else:
            out[-1].append(word)
    out = list(filter(None, out))
    return out if all(words[0] in PROGRAMS for words in out) else None


def command(words, check=True):
    if words[0] == "nft" and words[1][0] != "-":
        return nft(" ".join(words[1:]), check)
    return run(*words, check=check)


@functools.cache
def _libnftables():
    lib = ctypes.CDLL("libnftables.so.1")
    lib.nft_ctx_new.restype = ctypes.c_void_p
    lib.nft_ctx_get_output_buffer.restype = lib.nft_ctx_get_error_buffer.restype = ctypes.c_char_p
    return lib


class Nft:
    """`nft -f -` without a process, in the network namespace that is the current one now."""

    def __init__(self):
        self.lib = _libnftables()
        self.ctx = ctypes.c_void_p(self.lib.nft_ctx_new(0))
        self.lib.nft_ctx_buffer_output(self.ctx)
        self.lib.nft_ctx_buffer_error(self.ctx)

    def run(self, commands, check=True):
        """What it prints, errors at the end."""
        failed = self.lib.nft_run_cmd_from_buffer(self.ctx, commands.encode())
        said = (self.lib.nft_ctx_get_output_buffer(self.ctx) + self.lib.nft_ctx_get_error_buffer(self.ctx)).decode()
        if check and failed:
            raise HarnessError("nft: %s\n%s" % (said, commands))
        return said

    def close(self):
        self.lib.nft_ctx_free(self.ctx)


def nft(commands, check=True):
    """The same, once."""
    with contextlib.closing(Nft()) as one:
        return one.run(commands, check)


GROUP = 9           # of the wires' far ends


class Netns:
    """A network namespace with a name that `ip netns` knows too."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)

    def __init__(self, name):
        self.name, self.path = name, "/run/netns/" + name
        os.makedirs("/run/netns", exist_ok=True)
        self.forget()
        _call("unshare", CLONE_NEWNET)
        try:
            open(self.path, "w").close()
            _call("mount", b"/proc/self/ns/net", self.path.encode(), b"none", MS_BIND, None)
            self.fd = os.open("/proc/self/ns/net", os.O_RDONLY)
            sysctl("net.ipv6.conf.all.disable_ipv6", 1)
            sysctl("net.ipv6.conf.default.disable_ipv6", 1)
            up("lo")
        finally:
            go_home()

    def forget(self):
        """Drop the name; the namespace goes when nobody holds it."""
        if os.path.exists(self.path):
            _libc.umount2(self.path.encode(), MNT_DETACH)
            os.unlink(self.path)

    def empty(self):
        """Without a device but lo. The wires, which are one group, go at one time."""
        with self, contextlib.closing(Netlink(0)) as netlink:
            if _others(netlink):
                netlink.ask(17, struct.pack("BxHiIIHHI", 0, 0, 0, 0, 0, 8, 27, GROUP), 0)
            for index in _others(netlink):
                netlink.ask(17, struct.pack("BxHiII", 0, 0, index, 0, 0), 0)

    def close(self):
        os.close(self.fd)
        self.forget()

    def enter(self):
        _call("setns", self.fd, CLONE_NEWNET)

    def __enter__(self):
        self.before = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.enter()
        return self

    def __exit__(self, *exc):
        _call("setns", self.before, CLONE_NEWNET)
        os.close(self.before)


TICK = time.clock_getres(6)        # CLOCK_MONOTONIC_COARSE: of the timers


def idle():
    """Nobody else wants the CPU, the kernel's workers neither; what was to be done by now is done."""
    start = time.monotonic()
    while not read("/proc/loadavg").split()[3].startswith("1/") and time.monotonic() - start < 0.1:
        time.sleep(0.001)


def pass_wrap():
    """The kernel's clock of ticks wraps five minutes after boot. A namespace that has sent no ICMP yet has its
    limiter say then that it was filled a moment ago, and with nothing: icmp_global_allow()."""
    up = time.clock_gettime(time.CLOCK_BOOTTIME)
    if 299 < up < 301:
        time.sleep(301 - up)


def go_home():
    _call("setns", Netns.home, CLONE_NEWNET)


def sysctl(name, value):
    return write("/proc/sys/" + name.replace(".", "/"), value)


def write(path, value):
    """Is there such a file?"""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
    except FileNotFoundError:
        return False
    try:
        os.write(fd, str(value).encode())
    finally:
        os.close(fd)
    return True


# ---- devices ----------------------------------------------------------------

def up(dev, on=True):
    """ifconfig DEV up, without a process."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        req = struct.pack("16sH22x", dev.encode(), 0)
        flags = struct.unpack("16sH22x", fcntl.ioctl(s, 0x8913, req))[1]
        flags = flags | 1 if on else flags & ~1
        fcntl.ioctl(s, 0x8914, struct.pack("16sH22x", dev.encode(), flags))


def offloads(dev, on):
    """ethtool -K DEV rx tx sg tso gso gro; a veth with GRO on runs NAPI."""
    order = (0x15, 0x17, 0x19, 0x1f, 0x24, 0x2c)   # rx tx sg tso gso gro
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for cmd in order if on else reversed(order):
            value = ctypes.create_string_buffer(struct.pack("II", cmd, int(on)), 8)
            req = struct.pack("16sQ16x", dev.encode(), ctypes.addressof(value))
            try:
                fcntl.ioctl(s, 0x8946, req)
            except OSError:
                pass   # fixed on this device


def ethtool(sock, dev, request):
    """The bytes of the request, with the answer in them."""
    value = ctypes.create_string_buffer(request, len(request))
    fcntl.ioctl(sock, 0x8946, struct.pack("16sQ16x", dev.encode(), ctypes.addressof(value)))
    return value.raw


def feature(dev, name, on):
    """ethtool -K DEV NAME on, for what has no letters of its own."""
    most = 128
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        names = ethtool(s, dev, struct.pack("III", 0x1b, 4, 0) + b"\0" * 32 * most)
        bit = [names[at:at + 32].rstrip(b"\0").decode() for at in range(12, len(names), 32)].index(name)
        words = [(1 << bit >> 32 * n & 0xffffffff, on * 0xffffffff) for n in (0, 1)]
        ethtool(s, dev, struct.pack("IIIIII", 0x3b, 2, *words[0], *words[1]))


SO_TXTIME = SCM_TXTIME = 61


def send_at(sock, dev, frames, when):
    """Frames that are to leave by the device at a time of the monotonic clock, in ns: fq keeps to it."""
    sock.setsockopt(socket.SOL_SOCKET, SO_TXTIME, struct.pack("iI", time.CLOCK_MONOTONIC, 0))
    sock.bind((dev, 0))
    for frame in frames:
        sock.sendmsg([frame], [(socket.SOL_SOCKET, SCM_TXTIME, struct.pack("Q", when))])


class Wire:
    """One end of a veth pair as a bare Ethernet port."""

    def __init__(self, name, ns, dev, mac, vnet=False, outgoing=False, protocol=ETH_P_ALL):
        self.name, self.mac, self.vnet, self.outgoing, self.protocol = name, mac, vnet, outgoing, protocol
        with ns:
            up(dev)
            self.sock = self.open(dev)

    def open(self, dev):
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, int(not self.outgoing))
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        if self.vnet:
            s.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        s.bind((dev, self.protocol))
        return s

    def send(self, frame, vnet_hdr=b"\0" * 10):
        data = vnet_hdr + frame if self.vnet else frame
        for _ in range(1000):
            try:
                return self.sock.send(data)
            except OSError as e:
                if e.errno != errno.ENOBUFS:
                    raise
                time.sleep(0.001)       # the other end's backlog is full: softirqs wait for a busy CPU
        raise HarnessError("%s takes no frames" % self.name)

    def take(self):
        """Everything that has arrived."""
        got = []
        while True:
            try:
                got.append(self.sock.recv(1 << 17))
            except BlockingIOError:
                return got

    def close(self):
        self.sock.close()


def without_ethernet(vnet_hdr):
    """virtio's header for a packet of a device that has no header of its own."""
    flags, kind, head, size, start, at = struct.unpack("<BBHHHH", vnet_hdr)
    return struct.pack("<BBHHHH", flags, kind, max(head - 14, 0), size, max(start - 14, 0), at)


def ethernet(packet):
    """A packet of a device without Ethernet as if it had come by one."""
    return b"\0" * 12 + (b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd") + packet


class Tun(Wire):
    """The other side of a device without Ethernet, as a VPN's daemon has it, or with vnet a
    virtual machine. The frames get a header that the device does not have, so that the rest need
    not know. Nothing has looked at what a virtual machine says of a packet before the router does."""
    TUNSETIFF, FLAGS, VNET_HDR = 0x400454ca, 0x1001, 0x4000     # a packet is all there is to read

    def __init__(self, name, ns, dev, mac, vnet=False):
        self.name, self.mac, self.vnet, self.outgoing = name, mac, vnet, False
        with ns:
            self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.fd, self.TUNSETIFF, struct.pack("16sH22x", dev.encode(), self.FLAGS | self.VNET_HDR * vnet))

    def send(self, frame, vnet_hdr=b"\0" * 10):
        os.write(self.fd, without_ethernet(vnet_hdr) * self.vnet + frame[14:])

    def take(self):
        got, hdr = [], 10 * self.vnet
        while True:
            try:
                packet = os.read(self.fd, 1 << 17)
            except BlockingIOError:
                return got
            got.append(packet[:hdr] + ethernet(packet[hdr:]))

    def close(self):
        os.close(self.fd)


def connect(sock, address):
    """To an address of a family that Python does not know."""
    _call("connect", sock.fileno(), address, len(address))


UDP_GSO = "UDP segmentation in packet sockets"
FEATURES = {}       # what others find out: name to function
MODULES = {"NPTv6": "ip6t_NPT", "rpfilter": "ipt_rpfilter"}


def _version(text):
    return [int(n) for n in text.split(".")]


@functools.cache
def knows(what):
    """Has the guest that, or that type of device?"""
    if what == UDP_GSO:
        return knows_udp_gso()
    if what in FEATURES:
        return FEATURES[what]()
    if what.startswith("conntrack "):
        return _version(run("conntrack", "--version").split()[1][1:]) >= _version(what.split()[1])
    if what == "legacy iptables":
        return not subprocess.run(["iptables-legacy", "-L", "-n"], capture_output=True, check=False).returncode
    if what == "realms":
        return os.path.exists("/proc/net/rt_acct")
    if what == "ipset as a module":
        return ".ko" in run("modinfo", "-F", "filename", "ip_set", check=False)
    if what == "tun":
        run("modprobe", "-q", "tun", check=False)
        return os.path.exists("/sys/class/misc/tun")
    if what == "PPPoE":
        run("modprobe", "-q", "pppoe", check=False)
        return os.path.exists("/proc/net/pppoe")
    if what == "broadcast GRE":
        return knows_broadcast_gre()
    if what in MODULES:
        return not subprocess.run(["modprobe", "-q", MODULES[what]], check=False).returncode
    said = run("ip", "link", "add", "ftd-p", "type", what, check=False)
    run("ip", "link", "del", "ftd-p", check=False)
    return "Unknown device type" not in said


def knows_broadcast_gre():
    """Has a multicast group as the other end a meaning of its own (NET_IPGRE_BROADCAST)?"""
    run("ip", "link", "add", "ftd-p", "type", "gre", "local", "127.0.0.1", "remote", "224.66.66.66", "ttl", "9")
    try:
        return "BROADCAST" in run("ip", "link", "show", "ftd-p")
    finally:
        run("ip", "link", "del", "ftd-p")


def knows_udp_gso():
    """May a packet socket send UDP that is to be segmented (virtio's UDP_L4)?"""
    ns = Netns("ftd-p")
    try:
        with ns, socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as s:
            s.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
            s.bind(("lo", ETH_P_ALL))
            s.send(struct.pack("<BBHHHH", 1, 5, 42, 8, 34, 6) + b"\0" * 12 + b"\x08\x00" + b"\0" * 50)
            return True
    except OSError as e:
        return e.errno != errno.EINVAL      # whatever becomes of that frame
    finally:
        ns.close()


# The kernel patches its own code when the first user of a hook comes and when the
# last one goes, which every new router would make it do. An emulator with two CPUs
# may run the half patched instruction ("Oops: int3"), so every hook has a user here.
HOLD = """table ip hold {
%s chain pre {
  type nat hook prerouting priority -100;
  ct state new
 }
 chain post {
  type nat hook postrouting priority 100;
 }
}
table netdev hold {
 chain in {
  type filter hook ingress device lo priority 0;
 }
}
""" % "".join(" chain %s {\n  type filter hook %s priority 0;\n }\n" % (h, h)
              for h in ("prerouting", "input", "forward", "output", "postrouting"))


class Sentinel:
    """Tells when the kernel has nothing more in its hands. A veth passes a
    packet through the backlog of the sending CPU, first in first out, for all
    namespaces: on a pinned CPU, a marker sent through a pair of its own arrives
    after everything that was queued before. One round clears one hop; tunnels
    (gro_cells) and second devices need more."""
    ROUNDS = 5

    def __init__(self):
        self.ns = Netns("ftd-s")
        with self.ns:
            run("ip", "link", "add", "s0", "type", "veth", "peer", "name", "s1")
            nft(HOLD)
        self.a = Wire("s0", self.ns, "s0", "")
        self.b = Wire("s1", self.ns, "s1", "")
        self.count = 0
        wait_links(self.ns)

    def mark(self):
        self.count += 1
        self.a.send(b"\xff" * 12 + b"\x88\xb5" + struct.pack("!Q", self.count) + b"\0" * 40)

    def await_mark(self):
        if not select.select([self.b.sock], [], [], 20)[0]:
            raise HarnessError("a marker frame was lost")
        self.b.take()

    def drain(self):
        for _ in range(self.ROUNDS):
            self.mark()
            self.await_mark()

    def follow(self):
        """Nothing, as a rule: what was sent is through when the call that sent it returns. A
        CPU that was held up leaves it to ksoftirqd, kernels before 6.4 until that has nothing left
        to do; and then packets of the two directions can overtake each other in a tunnel's queue."""
        self.mark()
        if not self.b.take():
            self.await_mark()
            self.drain()

    def close(self):
        self.a.close()
        self.b.close()
        self.ns.close()


# ---- netlink ----------------------------------------------------------------

STATS64 = """rx_packets tx_packets rx_bytes tx_bytes rx_errors tx_errors rx_dropped
tx_dropped multicast collisions rx_length_errors rx_over_errors rx_crc_errors
rx_frame_errors rx_fifo_errors rx_missed_errors tx_aborted_errors tx_carrier_errors
tx_fifo_errors tx_heartbeat_errors tx_window_errors rx_compressed tx_compressed
rx_nohandler rx_otherhost_dropped""".split()


def attributes(data):
    """Netlink attributes as {type: bytes}."""
    out, at = {}, 0
    while at + 4 <= len(data):
        size, kind = struct.unpack_from("HH", data, at)
        if size < 4:
            break
        out[kind & 0x3fff] = data[at + 4:at + size]
        at += (size + 3) & ~3
    return out


class Netlink:
    """Dumps over one netlink socket of the current namespace."""

    def __init__(self, proto):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, proto)
        self.sock.bind((0, 0))

    def dump(self, kind, body):
        """The whole answer: a dump left half read makes the next one fail."""
        return list(self._dump(kind, body))

    def _dump(self, kind, body):
        self.sock.send(struct.pack("IHHII", 16 + len(body), kind, 0x301, 1, 0) + body)
        while True:
            data = self.sock.recv(1 << 18)
            at = 0
            while at < len(data):
                size, got = struct.unpack_from("IH", data, at)
                if got == 3:
                    return
                if got == 2:
                    raise HarnessError("netlink: error %d" % struct.unpack_from("i", data, at + 16))
                yield data[at + 16:at + size]
                at += (size + 3) & ~3

    def ask(self, kind, body, flags):
        """Have something done."""
        self.sock.send(struct.pack("IHHII", 16 + len(body), kind, 5 | flags, 1, 0) + body)
        error = struct.unpack_from("i", self.sock.recv(1 << 16), 16)[0]
        if error:
            raise HarnessError("netlink: error %d" % error)

    def close(self):
        self.sock.close()


def link_stats(netlink):
    """What `ip -s -s link` prints: {ifindex: (name, {"rx_packets": n})}."""
    return dict(map(_link, netlink.dump(18, struct.pack("BxHiII", 0, 0, 0, 0, 0))))


def _others(netlink):
    """Indexes of all devices but lo."""
    return [index for index, (name, _) in link_stats(netlink).items() if name != "lo"]


@functools.lru_cache(1000)
def _link(msg):
    """Most devices have not changed since they were last asked."""
    attr = attributes(msg[16:])
    name = attr[3].rstrip(b"\0").decode()
    stats = attr.get(23, b"")
    values = struct.unpack("%dQ" % (len(stats) // 8), stats)
    return struct.unpack_from("i", msg, 4)[0], (name, dict(zip(STATS64, values)))


def links_ready(netlink):
    """A worker activates the queue of an Ethernet device some time after its peer
    is up; until then the device drops what it is given, and no counter tells."""
    for msg in netlink.dump(18, struct.pack("BxHiII", 0, 0, 0, 0, 0)):
        attr = attributes(msg[16:])
        kind, flags = struct.unpack_from("H", msg, 2)[0], struct.unpack_from("I", msg, 8)[0]
        if flags & 1 and kind == 1 and attr[16][0] != 6 and not _no_link(attr):
            return False
    return True


def _no_link(attr):
    """Ethernet without a carrier that comes and goes: it stays "unknown"."""
    return attributes(attr.get(18, b"")).get(1, b"").rstrip(b"\0") in (b"gretap", b"vxlan", b"geneve")


def wait_links(ns):
    with ns:
        netlink = Netlink(0)
        start = time.monotonic()
        while not links_ready(netlink):
            if time.monotonic() - start > 10:
                raise HarnessError("a link in %s does not come up" % ns.name)
            time.sleep(0.002)
        netlink.close()
        up("lo")      # waits for the lock under which the worker finishes


def nft_counters(netlink):
    """Named counters of nftables: {name: (packets, bytes)}."""
    out = {}
    for msg in netlink.dump(10 << 8 | 19, struct.pack("BBH", 0, 0, 0)):
        attr = attributes(msg[4:])
        data = attributes(attr.get(4, b""))
        if 1 in data and 2 in data:
            name = attr[2].rstrip(b"\0").decode()
            out[name] = tuple(int.from_bytes(data[k], "big") for k in (2, 1))
    return out


# ---- /proc ------------------------------------------------------------------

MODULE = "/proc/net/stat/nf_flowtable_tun"


class Text:
    """A file that is read again and again; without the layers of open(), for a snapshot reads a dozen."""

    def __init__(self, path):
        try:
            self.fd = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            self.fd = None

    def read(self):
        """What is in it now; nothing if there is no such file."""
        data = more = b"" if self.fd is None else os.pread(self.fd, 1 << 16, 0)
        while more:
            more = os.pread(self.fd, 1 << 16, len(data))
            data += more
        return data.decode()

    def close(self):
        if self.fd is not None:
            os.close(self.fd)


def read(path):
    text = Text(path)
    try:
        return text.read()
    finally:
        text.close()


def changes(old, new):
    """{name: change} between two texts of counters. Lines that are the same are not looked into."""
    if old == new:
        return {}
    a, b = _lines(old), _lines(new)
    before, after = _counters(a - b), _counters(b - a)
    return {k: v - before.get(k, 0) for k, v in after.items() if v != before.get(k, 0)}


def _lines(text):
    """/proc/net/{snmp,netstat}: pairs of lines; others: a name a line."""
    lines = text.splitlines()
    if lines and ":" in lines[0]:
        return set(zip(lines[::2], lines[1::2]))
    return set(lines)


def _counters(lines):
    out = {}
    for line in lines:
        if isinstance(line, tuple):
            names, values = (words.split() for words in line)
            out.update((names[0][:-1] + k, int(v)) for k, v in zip(names[1:], values[1:]))
        else:
            out.update(counter_line(line))
    return out


def counter_line(line):
    words = line.split()
    return [(words[0], int(words[1]))] if len(words) == 2 and words[1].isdigit() else []


def dev_snmp6():
    """{device: text} of /proc/net/dev_snmp6"""
    base = "/proc/net/dev_snmp6/"
    return {dev: read(base + dev) for dev in os.listdir(base)}


def module_counters():
    """/proc/net/stat/nf_flowtable_tun of the current namespace."""
    return dict(pair for line in read(MODULE).splitlines() for pair in counter_line(line))


# ---- conntrack ----------------------------------------------------------------

PROTOS = {1: "icmp", 6: "tcp", 17: "udp", 47: "gre", 58: "icmpv6"}
TCP_STATES = ("NONE SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSE "
              "SYN_SENT2").split()
SEEN_REPLY, ASSURED, OFFLOAD = 1 << 1, 1 << 2, 3 << 14


@functools.lru_cache(1000)
def _tuple(data):
    """One direction of an entry in words."""
    attr = attributes(data)
    ip, l4 = attributes(attr[1]), attributes(attr[2])
    out = ["src=%s dst=%s" % tuple(socket.inet_ntop(socket.AF_INET6 if len(a) == 16 else socket.AF_INET, a)
                                   for a in (ip.get(1) or ip[3], ip.get(2) or ip[4]))]
    names = {2: "sport", 3: "dport", 4: "id", 5: "type", 6: "code", 7: "id", 8: "type", 9: "code"}
    return l4[1][0], " ".join(out + ["%s=%d" % (names[k], int.from_bytes(v, "big")) for k, v in sorted(l4.items())
                                     if k in names])


def _counts(attr):
    out = []
    for key in (9, 10):
        counters = attributes(attr.get(key, b""))
        out += [int.from_bytes(counters[k], "big") for k in (1, 2) if k in counters]
    return out


def conntrack(netlink):
    """{tuple: {state, flags, offload, counts, mark}}; timeouts are left out. Unlike
    /proc it says of offloaded entries too whether they are assured."""
    return dict(map(_entry, netlink.dump(1 << 8 | 1, struct.pack("BBH", 0, 0, 0))))


@functools.lru_cache(10000)
def _entry(msg):
    """The same bytes are the same words; most entries are those of earlier cases."""
    attr = attributes(msg[4:])
    proto, there = _tuple(attr[1])
    key = "%s%d %s %s" % (PROTOS.get(proto, "unknown"), proto, there, _tuple(attr[2])[1])
    status = int.from_bytes(attr.get(3, b""), "big")
    tcp = attributes(attributes(attr.get(4, b"")).get(1, b""))
    flags = "%s%s %#x" % ("" if status & SEEN_REPLY else "[UNREPLIED] ", "[ASSURED]" if status & ASSURED else "",
                          status & ~(SEEN_REPLY | ASSURED | OFFLOAD))
    return key, dict(state=" ".join([TCP_STATES[tcp[1][0]]] + [tcp[k].hex() for k in (2, 3, 4, 5) if k in tcp])
                     if 1 in tcp else "", flags=flags, offload=bool(status & OFFLOAD), counts=_counts(attr),
                     mark=str(int.from_bytes(attr[8], "big")) if 8 in attr else "")
