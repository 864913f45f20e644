# SPDX-License-Identifier: GPL-2.0
"""One TCP connection through an IPIP tunnel, between sockets in network namespaces:

    [client] 10.1.0.2 - lan0 (router: this namespace) wan0 - 192.0.2.2 [far]
                                 tun0 <==================> tun1 10.2.0.2

Aggregates cross the router whole, as GRO and TSO would have it.
"""
import json
import subprocess
import time

import router

LINKS = """
    ip netns add client
    ip netns add far
    ip link add lan0 type veth peer name eth0 netns client
    ip link add wan0 type veth peer name eth0 netns far
    ip addr add 10.1.0.1/24 dev lan0
    ip addr add 192.0.2.1/24 dev wan0
    ip link set lan0 up
    ip link set wan0 up
    ip link add tun0 type ipip local 192.0.2.1 remote 192.0.2.2
    ip link set tun0 up
    ip route add 10.2.0.0/24 dev tun0
    sysctl -qw net.ipv4.ip_forward=1
    ip -n client addr add 10.1.0.2/24 dev eth0
    ip -n client link set eth0 up
    ip -n client route add default via 10.1.0.1
    ip -n far addr add 192.0.2.2/24 dev eth0
    ip -n far link set eth0 up
    ip -n far link add tun1 type ipip local 192.0.2.2 remote 192.0.2.1
    ip -n far link set tun1 up
    ip -n far addr add 10.2.0.2/24 dev tun1
    ip -n far route add 10.1.0.0/24 dev tun1
"""
GONE = "ip link del lan0; ip link del wan0; ip netns del client; ip netns del far"


def listening():
    done = subprocess.run(["ip", "netns", "exec", "far", "ss", "-Hltn"], stdout=subprocess.PIPE, check=False)
    return b":5201" in done.stdout


class Stream:
    """A context: the other namespaces, with a server in the far one."""

    def __enter__(self):
        router.shell(LINKS)
        self.server = subprocess.Popen(["ip", "netns", "exec", "far", "iperf3", "-s"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not listening():
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()
        router.shell(GONE)

    def iperf(self, down, seconds):
        """Gbit/s that arrived."""
        words = ["ip", "netns", "exec", "client", "iperf3", "-J", "-c", "10.2.0.2", "-t", str(seconds)] + ["-R"] * down
        done = subprocess.run(words, stdout=subprocess.PIPE, check=False)
        answer = json.loads(done.stdout)
        if "error" in answer:
            raise RuntimeError("iperf3: " + answer["error"])
        return answer["end"]["sum_received"]["bits_per_second"] / 1e9

    def measure(self, way, where, seconds):
        router.arm(way == "fast")
        router.nft(router.FLOWTABLE_RULES if way == "flowtable" else router.SLOW_RULES)
        before = router.counts(("lan0", "wan0"))
        rate = self.iperf(where == "out", seconds)
        after = router.counts(("lan0", "wan0"))
        sent = after["sent"] - before["sent"]
        cell = {name: round((after[name] - before[name]) / sent, 4) for name in after}
        cell.update(gbit=round(rate, 3), packets=sent)
        return cell
