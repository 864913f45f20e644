# SPDX-License-Identifier: GPL-2.0
# A small Debian with one kernel, its headers and compiler and the network tools.
# shellcheck shell=bash

# The compiler and flex, bison, bc also build the module and the UML kernels.
ROOTFS_PACKAGES="initramfs-tools busybox zstd kmod dkms gcc libc6-dev make flex bison bc xz-utils
	python3 procps iproute2 iputils-ping iputils-arping nftables conntrack iptables ipset ethtool
	tcpdump iperf3 socat netcat-openbsd bpftool strace tar"

# The recipe is everything that decides what the rootfs holds.
rootfs_recipe() {
	kernel_suites "$1"
	echo "$ROOTFS_PACKAGES"
	cat "$LAB/lab-init"
	declare -f rootfs_make rootfs_excludes rootfs_prepare rootfs_finish
}

rootfs_path() { echo "$CACHE/rootfs/$1-$(rootfs_recipe "$1" | short_hash)"; }

# Before packages are set up: a small initrd with what the root disk needs.
rootfs_prepare() {
	local root=$1
	mkdir -p "$root"/etc/initramfs-tools/conf.d "$root"/usr/share/initramfs-tools/modules.d
	printf '%s\n' MODULES=list COMPRESS=zstd FSTYPE=ext4 >"$root/etc/initramfs-tools/conf.d/lab"
	printf '%s\n' ext4 virtio_pci virtio_blk >"$root/usr/share/initramfs-tools/modules.d/lab"
}

rootfs_finish() {
	local root=$1
	install -m 755 "$LAB/lab-init" "$root/sbin/lab-init"
	mkdir -p "$root/lab" "$root/src"
	printf '127.0.0.1 localhost lab\n::1 localhost lab\n' >"$root/etc/hosts"
	: >"$root/etc/fstab"
	find "$root/lib/modules" -mindepth 1 -maxdepth 1 -printf '%f\n' >"$root/kver"
}

# Drivers of hardware that no guest has: two thirds of the modules.
rootfs_excludes() {
	printf '*/lib/modules/*/kernel/%s/*\n' sound drivers/{gpu,media,staging,scsi,infiniband,usb,iio,hwmon,input} \
		drivers/net/{ethernet,wireless}
}

# In a namespace of its own, so that what it mounts in the rootfs (this machine's /dev and /sys
# too) ends with it, however it ends. Not in rootfs_make: it is no part of the recipe.
mmdebstrap() { unshare --mount --propagation private mmdebstrap "$@"; }

rootfs_make() {
	local kernel=$1 new=$2 suite suffix include
	suite=$(kernel_suites "$kernel")
	suffix=$(kernel_package_suffix "$kernel")
	include="linux-image-amd64$suffix linux-headers-amd64$suffix $ROOTFS_PACKAGES"
	kernel_apt_options >"$new.apt"
	kernel_sources "$kernel" >"$new.list"
	# mmdebstrap wants to make the directory itself.
	mmdebstrap --mode=root --variant=minbase --format=directory \
		--keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		--aptopt="$new.apt" --aptopt='Acquire::Languages "none"' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt="$(rootfs_excludes | sed 's/^/path-exclude=/')" \
		--include="$(tr -s ' \t\n' ' ' <<<"$include")" \
		--setup-hook="bash -c '. \"$LAB/rootfs.sh\"; rootfs_prepare \"\$1\"' - \"\$1\"" \
		"${suite%% *}" "$new" "$new.list"
	rootfs_finish "$new"
}

rootfs_setup() {
	local kernel=$1 path new
	path=$(rootfs_path "$kernel")
	[ ! -e "$path" ] || return 0
	new=$CACHE/rootfs/new.$kernel
	# One of an older lab, ended by force, can have left this machine's /dev mounted in it.
	rm -rf --one-file-system "$new"
	step "rootfs for $kernel ($(kernel_suites "$kernel"))" rootfs_make "$kernel" "$new"
	rootfs_check "$kernel" "$new"
	settle "$new" "$path"
	rm -f "$new".*
	drop_older "$path" "$CACHE/rootfs/$kernel"
}

# A suite moves on: say so rather than test another kernel in silence.
rootfs_check() {
	local kver
	kver=$(cat "$2/kver")
	case $kver in
	"$1".*) ;;
	*) say "note: Debian's $(kernel_suites "$1") now carries $kver, not $1; using that" ;;
	esac
}

rootfs() {
	[ -e "$(rootfs_path "$1")" ] || locked "rootfs-$1" rootfs_setup "$1"
}

rootfs_kver() { cat "$(rootfs_path "$1")/kver"; }

# rootfs_run KERNEL "NAME=DIR..." COMMAND...: run COMMAND in the rootfs, which stays
# unchanged, with each DIR as /lab/NAME. Processes and mounts end with the command.
rootfs_run() {
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount --propagation private --pid --fork --kill-child bash -euc '
		root=$1
		mount --bind "$root" "$root"
		mount -o remount,bind,ro "$root"
		mount -t tmpfs tmpfs "$root/lab"
		for bind in $2; do
			mkdir "$root/lab/${bind%%=*}"
			mount --bind "${bind#*=}" "$root/lab/${bind%%=*}"
		done
		mount -t proc proc "$root/proc"
		mount -t tmpfs tmpfs "$root/tmp"
		mount --rbind /dev "$root/dev"
		shift 2
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp LC_ALL=C "$@"
	' - "$(rootfs_path "$1")" "$2" "${@:3}"
}

# rootfs_trust FILE: whose certificates this machine believes, for apt's mirrors by https; the
# rootfs has no ca-certificates. No file if this machine has none either.
rootfs_trust() {
	local ca=''
	eval "$(apt-config shell ca Acquire::https::CaInfo)"
	ca=${ca:-/etc/ssl/certs/ca-certificates.crt}
	[ ! -e "$ca" ] || install -m 644 "$ca" "$1"
}

# rootfs_download KERNEL DIR PACKAGE...: packages of the rootfs's own suites, with
# directories of their own for apt.
rootfs_download() {
	local kernel=$1 new=$2
	shift 2
	cp -L /etc/resolv.conf "$new/resolv.conf"
	rootfs_trust "$new/ca.crt"
	mkdir -p "$new/lists/partial" "$new/archives/partial"
	chown -R root:root "$new"
	# shellcheck disable=SC2016 # for the inner shell
	rootfs_run "$kernel" "new=$new" bash -euc '
		if [ -e /etc/resolv.conf ]; then mount --bind /lab/new/resolv.conf /etc/resolv.conf; fi
		cd /lab/new
		apt=(-o Dir::State::lists=/lab/new/lists -o Dir::Cache=/lab/new -o APT::Sandbox::User=root)
		if [ -e ca.crt ]; then apt+=(-o Acquire::https::CaInfo=/lab/new/ca.crt); fi
		apt-get "${apt[@]}" update
		apt-get "${apt[@]}" download "$@"
	' - "$@"
}
