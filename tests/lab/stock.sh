# SPDX-License-Identifier: GPL-2.0
# Debian's own kernels under qemu without hardware help: stock and counted.
# shellcheck shell=bash

image_path() { echo "$CACHE/image/$(basename "$(rootfs_path "$1")").ext4"; }

# Room for DKMS builds and test results; the file is sparse.
image_make() {
	local root=$1 new=$2 size
	size=$(($(du -sm "$root" | cut -f1) * 5 / 4 + 1024))
	rm -f "$new"
	mke2fs -q -t ext4 -m 0 -E lazy_itable_init=1 -d "$root" "$new" "${size}M"
}

image_setup() {
	local path new=$CACHE/image/new.$1
	path=$(image_path "$1")
	[ ! -e "$path" ] || return 0
	step "disk image for $1" image_make "$(rootfs_path "$1")" "$new"
	settle "$new" "$path"
	drop_older "$path" "$CACHE/image/$1"
}

image() {
	[ -e "$(image_path "$1")" ] || locked "image-$1" image_setup "$1"
}

stock_setup() {
	rootfs "$1"
	image "$1"
}

# How the two guests differ: CPUs that race, or one that counts instructions.
#
# Code that one CPU patches (a static key) another can find half done in qemu 7.2,
# an "Oops: int3" once in some minutes of making and deleting namespaces. Suites
# that do a lot of that and need no race take one CPU.
stock_cpus() {
	case $1 in
	stock) echo "-accel tcg,thread=multi -smp $CPUS" ;;
	counted) echo "-accel tcg -icount shift=0,sleep=off -smp 1" ;;
	esac
}

# panic=-1 ends qemu at once after a panic, by -no-reboot.
stock_words() {
	echo "console=ttyS0 loglevel=5 panic=-1 log_buf_len=16M" \
		"root=/dev/vda rw fastboot init=/sbin/lab-init lab_in=vdb lab_out=vdc lab_tty=hvc0"
}

# qemu 7.2's cmpxchg16b now and then leaves garbage in the flags: a double fault in
# kmalloc, within a minute on 6.12. Without cx16 kernels use their own emulation.
#
# The kernel's console goes to a file, CMD's to a port of its own.
stock_boot() {
	local guest=$1 kernel=$2 run=$3 root
	root=$(rootfs_path "$kernel")
	# shellcheck disable=SC2046,SC2086 # lists of options
	TMPDIR=$run timeout --foreground -k 10 "$TIMEOUT" qemu-system-x86_64 $(stock_cpus "$guest") $QEMU_WORDS -cpu max,-cx16 -m "$MEMORY" \
		-nodefaults -no-user-config -nic none -display none -no-reboot \
		-kernel "$root"/boot/vmlinuz-* -initrd "$root"/boot/initrd.img-* \
		-append "$(stock_words) $(job_words)" \
		-serial "file:$run/console" \
		-device virtio-serial-pci -chardev stdio,id=cmd,signal=off -device virtconsole,chardev=cmd \
		-drive "file=$(image_path "$kernel"),if=virtio,format=raw,snapshot=on,cache=unsafe" \
		-drive "file=$run/in.tar,if=virtio,format=raw,readonly=on" \
		-drive "file=$run/out.tar,if=virtio,format=raw,cache=unsafe"
}
