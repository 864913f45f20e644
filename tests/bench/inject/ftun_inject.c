// SPDX-License-Identifier: GPL-2.0
/*
 * Hands copies of a frame to a device's receive path, and says how long that took.
 *
 *	write "DEVICE COUNT FRAME" to /proc/ftun_inject; FRAME is raw bytes. It goes
 *		in 64 to a batch, with BH off
 *	read the nanoseconds for all of them from there
 *
 * With a checksum that the device has verified, as a good network card says.
 */
#include <linux/etherdevice.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define BATCH		64
#define FRAME_MAX	256
#define HEADROOM	128

/**
 * struct order - what to inject
 * @dev:   where, with a reference
 * @count: how often
 * @len:   of the frame
 * @frame: what
 */
struct order {
	struct net_device	*dev;
	unsigned int		count;
	int			len;
	u8			frame[FRAME_MAX];
};

/* Of the last order. */
static u64 took_ns;

static void inject_one(const struct order *order)
{
	struct sk_buff *skb = netdev_alloc_skb(order->dev,
					       order->len + HEADROOM);

	if (!skb)
		return;
	skb_reserve(skb, HEADROOM);
	skb_put_data(skb, order->frame, order->len);
	skb->protocol = eth_type_trans(skb, order->dev);
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	netif_receive_skb(skb);
}

static void inject(const struct order *order)
{
	unsigned int i;
	u64 start = ktime_get_ns();

	for (i = 0; i < order->count; i++) {
		if (i % BATCH == 0)
			local_bh_disable();
		inject_one(order);
		if (i % BATCH == BATCH - 1 || i == order->count - 1)
			local_bh_enable();
	}
	took_ns = ktime_get_ns() - start;
}

static int parse(struct order *order, char *text, size_t size)
{
	char *frame = text;
	char *name = strsep(&frame, " ");
	char *count = strsep(&frame, " ");

	if (!frame || kstrtouint(count, 10, &order->count))
		return -EINVAL;
	order->len = text + size - frame;
	if (order->len < ETH_HLEN || order->len > FRAME_MAX)
		return -EINVAL;
	memcpy(order->frame, frame, order->len);
	order->dev = dev_get_by_name(current->nsproxy->net_ns, name);
	return order->dev ? 0 : -ENODEV;
}

static ssize_t inject_write(struct file *file, const char __user *buf,
			    size_t len, loff_t *pos)
{
	struct order *order = kzalloc(sizeof(*order), GFP_KERNEL);
	char *text = memdup_user_nul(buf, len);
	int err = -ENOMEM;

	if (order && !IS_ERR(text))
		err = parse(order, text, len);
	if (!err) {
		inject(order);
		dev_put(order->dev);
	}
	if (!IS_ERR(text))
		kfree(text);
	kfree(order);
	return err ? err : len;
}

static ssize_t inject_read(struct file *file, char __user *buf, size_t len,
			   loff_t *pos)
{
	char text[24];
	int n = scnprintf(text, sizeof(text), "%llu\n", took_ns);

	return simple_read_from_buffer(buf, len, pos, text, n);
}

static const struct proc_ops inject_ops = {
	.proc_read	= inject_read,
	.proc_write	= inject_write,
};

static int __init inject_init(void)
{
	return proc_create("ftun_inject", 0600, NULL, &inject_ops) ? 0 : -ENOMEM;
}

static void __exit inject_exit(void)
{
	remove_proc_entry("ftun_inject", NULL);
}

module_init(inject_init);
module_exit(inject_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Inject copies of a frame, for benchmarks");
