// SPDX-License-Identifier: GPL-2.0
/*
 * Hands copies of a frame to a device's receive path, and says how long that took.
 *
 *	write an order to /proc/ftun_inject: a line of words NAME=NUMBER, but dev=NAME,
 *		and after it the frame as raw bytes. It goes in 64 to a batch, with BH off
 *	read the nanoseconds for all of them from the same open file
 *
 *	dev	where
 *	count	how many packets
 *	first, flows, start, stride
 *		packet k belongs to flow number first + (start + k * stride) % flows
 *	port, addr
 *		offsets of 16-bit words that flow number n is added to: port takes the
 *		lower 15 bits of n, addr the others; 0 for none
 *	fix3, fix4
 *		offsets of 16-bit words, below the checksums of IPv4 and of UDP or TCP, that
 *		make up for that; 0 for none. So every packet's checksums are right
 *	level	checksums outside the innermost one, see skb->csum_level; UDP's counts even
 *		if it is 0
 *	hash	1: with a hash over addresses and ports from the network card
 *	gso, tail, l4, inner, tunnel
 *		an aggregate as GRO would make it: segments of gso bytes, tail bytes of data
 *		in pages behind the frame, TCP's header at l4, its IP header at inner, and
 *		in a tunnel with that protocol number (0: in none)
 *
 * With checksums that the device has verified, as a good network card, or GRO, says.
 */
#include <linux/etherdevice.h>
#include <linux/interrupt.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/tcp.h>
#include <linux/uaccess.h>
#include <net/checksum.h>

#define BATCH		64
#define LINE_MAX	512
#define FRAME_MAX	2048
#define HEADROOM	128
#define TAIL_ORDER	4

/**
 * struct order - what to inject; the words of the line, see above
 * @dev:   where, with a reference
 * @len:   of the frame
 * @frame: what
 * @took_ns: how long it took
 */
struct order {
	struct net_device	*dev;
	u32			count, first, flows, start, stride;
	u32			port, addr, fix3, fix4;
	u32			hash, level;
	u32			gso, tail, l4, inner, tunnel;
	int			len;
	u8			frame[FRAME_MAX];
	u64			took_ns;
};

/* What lies behind the headers of aggregates; nobody reads it. */
static struct page *tail_page;

static void word_add(struct sk_buff *skb, u32 off, u16 value)
{
	__be16 *word = (__be16 *)(skb->data + off);

	if (off)
		*word = htons(ntohs(*word) + value);
}

static void word_sub(struct sk_buff *skb, u32 off, u32 value)
{
	__sum16 *word = (__sum16 *)(skb->data + off);

	if (off)
		*word = csum16_sub(*word, htons(value));
}

static void make_flow(struct sk_buff *skb, const struct order *order, u32 flow)
{
	u16 low = flow & 0x7fff, high = flow >> 15;

	word_add(skb, order->port, low);
	word_add(skb, order->addr, high);
	word_sub(skb, order->fix3, high);
	word_sub(skb, order->fix4, low + high);
}

static bool outer_is_ipv4(const struct sk_buff *skb)
{
	const struct iphdr *iph = (void *)skb->data + ETH_HLEN;

	return iph->version == 4;
}

/* What is in IP goes by what is outside: sit_gro_complete(), ip4ip6_gro_complete(). */
static unsigned int tunnel_gso_type(const struct sk_buff *skb, u32 protocol)
{
	switch (protocol) {
	case 0:
		return 0;
	case IPPROTO_GRE:
		return SKB_GSO_GRE;
	case IPPROTO_UDP:
		return SKB_GSO_UDP_TUNNEL;
	default:
		return outer_is_ipv4(skb) ? SKB_GSO_IPXIP4 : SKB_GSO_IPXIP6;
	}
}

static void make_aggregate(struct sk_buff *skb, const struct order *order)
{
	struct skb_shared_info *info = skb_shinfo(skb);
	const struct iphdr *iph = (void *)skb->data + order->inner;

	get_page(tail_page);
	skb_add_rx_frag(skb, 0, tail_page, 0, order->tail, order->tail);
	info->gso_size = order->gso;
	info->gso_segs = DIV_ROUND_UP(order->tail, order->gso);
	info->gso_type = (iph->version == 4 ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6) |
			 tunnel_gso_type(skb, order->tunnel);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) + order->l4;
	skb->csum_offset = offsetof(struct tcphdr, check);
	skb_set_transport_header(skb, order->l4);
	if (!order->tunnel)
		return;
	skb->encapsulation = 1;
	skb_set_inner_network_header(skb, order->inner);
	skb_set_inner_transport_header(skb, order->l4);
	skb_set_transport_header(skb, ETH_HLEN + (outer_is_ipv4(skb) ?
						  sizeof(struct iphdr) :
						  sizeof(struct ipv6hdr)));
}

static void inject_one(const struct order *order, u32 flow)
{
	struct sk_buff *skb = netdev_alloc_skb(order->dev,
					       order->len + HEADROOM);

	if (!skb)
		return;
	skb_reserve(skb, HEADROOM);
	skb_put_data(skb, order->frame, order->len);
	make_flow(skb, order, flow);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	skb->csum_level = order->level;
	if (order->gso)
		make_aggregate(skb, order);
	if (order->hash)
		skb_set_hash(skb, flow * 0x9e3779b1 | 1, PKT_HASH_TYPE_L4);
	skb->protocol = eth_type_trans(skb, order->dev);
	netif_receive_skb(skb);
}

/* User-Mode Linux does not tell modules; it has no such kernel here. */
static bool softirqs_wait(void)
{
	bool wait;

	if (IS_ENABLED(CONFIG_UML))
		return false;
	preempt_disable();
	wait = local_softirq_pending();
	preempt_enable();
	return wait;
}

/* Once ksoftirqd runs, older kernels leave all to it that comes out of tunnels, and it
 * gets no turn from who stays in the kernel.
 */
static void end_batch(void)
{
	local_bh_enable();
	while (softirqs_wait())
		yield();
}

static void inject(struct order *order)
{
	u64 start = ktime_get_ns();
	u32 i, flow = order->start;

	for (i = 0; i < order->count; i++) {
		if (i % BATCH == 0)
			local_bh_disable();
		inject_one(order, order->first + flow);
		flow += order->stride;
		if (flow >= order->flows)
			flow -= order->flows;
		if (i % BATCH == BATCH - 1 || i == order->count - 1)
			end_batch();
	}
	order->took_ns = ktime_get_ns() - start;
}

static int parse_word(struct order *order, const char *word)
{
	const struct {
		const char	*name;
		u32		*value;
	} names[] = {
		{ "count=", &order->count }, { "first=", &order->first },
		{ "flows=", &order->flows }, { "start=", &order->start },
		{ "stride=", &order->stride },
		{ "port=", &order->port }, { "addr=", &order->addr },
		{ "fix3=", &order->fix3 }, { "fix4=", &order->fix4 },
		{ "hash=", &order->hash }, { "level=", &order->level },
		{ "gso=", &order->gso },
		{ "tail=", &order->tail }, { "l4=", &order->l4 },
		{ "inner=", &order->inner }, { "tunnel=", &order->tunnel },
	};
	int i;

	if (!order->dev && str_has_prefix(word, "dev=")) {
		order->dev = dev_get_by_name(current->nsproxy->net_ns,
					     word + 4);
		return order->dev ? 0 : -ENODEV;
	}
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (str_has_prefix(word, names[i].name))
			return kstrtou32(word + strlen(names[i].name), 10,
					 names[i].value);
	return -EINVAL;
}

/* Every offset names a word within the frame. */
static bool order_sane(const struct order *order)
{
	u32 last = order->len - sizeof(u16);

	return order->dev && order->len >= ETH_HLEN &&
	       order->start < order->flows &&
	       order->stride < order->flows &&
	       order->port <= last && order->addr <= last &&
	       order->fix3 <= last && order->fix4 <= last &&
	       order->l4 <= last && order->inner <= last &&
	       order->level <= SKB_MAX_CSUM_LEVEL &&
	       order->tail <= PAGE_SIZE << TAIL_ORDER &&
	       !order->gso == !order->tail;
}

static int parse(struct order *order, char *text, size_t size)
{
	char *frame = text;
	char *line = strsep(&frame, "\n");
	char *word;
	int err = 0;

	if (!frame || text + size - frame > FRAME_MAX)
		return -EINVAL;
	order->len = text + size - frame;
	memcpy(order->frame, frame, order->len);
	order->flows = 1;
	while (!err && (word = strsep(&line, " ")))
		err = parse_word(order, word);
	return err ?: order_sane(order) ? 0 : -EINVAL;
}

static ssize_t inject_write(struct file *file, const char __user *buf,
			    size_t len, loff_t *pos)
{
	struct order *order = file->private_data;
	char *text;
	int err;

	if (len > LINE_MAX + FRAME_MAX)
		return -EINVAL;
	text = memdup_user_nul(buf, len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	memset(order, 0, sizeof(*order));
	err = parse(order, text, len);
	kfree(text);
	if (!err)
		inject(order);
	dev_put(order->dev);
	order->dev = NULL;
	return err ?: len;
}

static ssize_t inject_read(struct file *file, char __user *buf, size_t len,
			   loff_t *pos)
{
	const struct order *order = file->private_data;
	char text[24];
	int n = scnprintf(text, sizeof(text), "%llu\n", order->took_ns);
	loff_t start = 0;

	return simple_read_from_buffer(buf, len, &start, text, n);
}

static int inject_open(struct inode *inode, struct file *file)
{
	file->private_data = kzalloc(sizeof(struct order), GFP_KERNEL);
	return file->private_data ? 0 : -ENOMEM;
}

static int inject_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct proc_ops inject_ops = {
	.proc_open	= inject_open,
	.proc_release	= inject_release,
	.proc_read	= inject_read,
	.proc_write	= inject_write,
};

static int __init inject_init(void)
{
	tail_page = alloc_pages(GFP_KERNEL | __GFP_COMP | __GFP_ZERO,
				TAIL_ORDER);
	if (!tail_page)
		return -ENOMEM;
	if (proc_create("ftun_inject", 0600, NULL, &inject_ops))
		return 0;
	__free_pages(tail_page, TAIL_ORDER);
	return -ENOMEM;
}

static void __exit inject_exit(void)
{
	remove_proc_entry("ftun_inject", NULL);
	__free_pages(tail_page, TAIL_ORDER);
}

module_init(inject_init);
module_exit(inject_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Inject copies of a frame, for benchmarks");
