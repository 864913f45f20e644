// SPDX-License-Identifier: GPL-2.0
/*
 * Many connections at once: sends the packets of COUNT UDP connections from number
 * FIRST on, ROUNDS times there and back, by two packet sockets that it inherits.
 *
 *	flood CLIENT_FD FAR_FD FIRST COUNT ROUNDS
 *
 * Connection i is 10.1.0.2:(1024 + i / 65536) -> 10.2.(i / 256 % 256).(i % 256):80;
 * see bed.py for where that is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#define BATCH		256
#define PAYLOAD		18

struct up {
	struct ether_header	eth;
	struct iphdr		ip;
	struct udphdr		udp;
	char			data[PAYLOAD];
} __attribute__((packed));

struct down {
	struct ether_header	eth;
	struct iphdr		outer;
	struct iphdr		ip;
	struct udphdr		udp;
	char			data[PAYLOAD];
} __attribute__((packed));

static uint16_t checksum(const void *header)
{
	const uint16_t *words = header;
	uint32_t sum = 0;

	for (unsigned int i = 0; i < sizeof(struct iphdr) / 2; i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static struct iphdr header(const char *src, uint32_t daddr, uint8_t proto, uint16_t len)
{
	struct iphdr ip = {
		.version = 4, .ihl = 5, .tot_len = htons(len), .ttl = 64, .protocol = proto,
		.frag_off = htons(0x4000), .saddr = inet_addr(src), .daddr = daddr,
	};

	return ip;
}

static struct ether_header ether(const char *dst, const char *src)
{
	struct ether_header eth = { .ether_type = htons(ETHERTYPE_IP) };

	memcpy(eth.ether_dhost, dst, 6);
	memcpy(eth.ether_shost, src, 6);
	return eth;
}

static struct udphdr ports(uint16_t sport, uint16_t dport)
{
	struct udphdr udp = {
		.source = htons(sport), .dest = htons(dport), .len = htons(sizeof(udp) + PAYLOAD),
	};

	return udp;
}

static void make_up(struct up *up, uint32_t i)
{
	memset(up, 0, sizeof(*up));
	up->eth = ether("\2\0\0\0\1\1", "\2\0\0\0\1\2");
	up->ip = header("10.1.0.2", htonl(0x0a020000 | (i & 0xffff)), IPPROTO_UDP,
			sizeof(*up) - sizeof(up->eth));
	up->ip.check = checksum(&up->ip);
	up->udp = ports(1024 + (i >> 16), 80);
}

static void make_down(struct down *down, uint32_t i)
{
	uint32_t far = htonl(0x0a020000 | (i & 0xffff));

	memset(down, 0, sizeof(*down));
	down->eth = ether("\2\0\0\0\2\1", "\2\0\0\0\2\2");
	down->outer = header("203.0.113.2", inet_addr("192.0.2.1"), IPPROTO_IPIP,
			     sizeof(*down) - sizeof(down->eth));
	down->outer.check = checksum(&down->outer);
	down->ip = header("10.1.0.2", inet_addr("10.1.0.2"), IPPROTO_UDP,
			  sizeof(*down) - sizeof(down->eth) - sizeof(down->outer));
	down->ip.saddr = far;
	down->ip.check = checksum(&down->ip);
	down->udp = ports(80, 1024 + (i >> 16));
}

static void send_all(int fd, void *frames, size_t size, unsigned int count)
{
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	unsigned int done = 0;

	memset(msgs, 0, sizeof(msgs));
	for (unsigned int i = 0; i < count; i++) {
		iov[i] = (struct iovec) { (char *)frames + i * size, size };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < count) {
		int sent = sendmmsg(fd, msgs + done, count - done, 0);

		if (sent > 0) {
			done += sent;
		} else if (errno == ENOBUFS) {
			/* The receiver is behind: softirqs wait for a busy CPU. */
			usleep(1000);
		} else {
			perror("flood");
			exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	static struct up up[BATCH];
	static struct down down[BATCH];
	uint32_t first, count, rounds;

	if (argc != 6)
		return 1;
	first = strtoul(argv[3], NULL, 10);
	count = strtoul(argv[4], NULL, 10);
	rounds = strtoul(argv[5], NULL, 10);
	for (uint32_t at = 0; at < count; at += BATCH) {
		uint32_t some = count - at < BATCH ? count - at : BATCH;

		for (uint32_t i = 0; i < some; i++) {
			make_up(&up[i], first + at + i);
			make_down(&down[i], first + at + i);
		}
		for (uint32_t i = 0; i < rounds; i++) {
			send_all(atoi(argv[1]), up, sizeof(up[0]), some);
			send_all(atoi(argv[2]), down, sizeof(down[0]), some);
		}
	}
	return 0;
}
