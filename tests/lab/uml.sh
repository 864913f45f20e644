# SPDX-License-Identifier: GPL-2.0
# User-Mode Linux, built from Debian's linux-source: native and debug.
# shellcheck shell=bash

uml_recipe() {
	rootfs_path "$2"
	cat "$LAB/uml.config"
	[ "$1" = native ] || cat "$LAB/uml-$1.config" "$LAB/uml.patch"
	declare -f uml_configure uml_make
}

uml_path() { echo "$CACHE/uml/$2-$1-$(uml_recipe "$1" "$2" | short_hash)"; }

uml_source_recipe() {
	rootfs_path "$1"
	cat "$LAB/uml.patch"
}

uml_source_path() { echo "$CACHE/uml/$1-source-$(uml_source_recipe "$1" | short_hash)"; }

# What a kernel for a PC, a phone or a router has and UML has not.
uml_source_excludes() {
	local arch
	for arch in alpha arc arm arm64 csky hexagon loongarch m68k microblaze mips nios2 \
		openrisc parisc powerpc riscv s390 sh sparc xtensa; do
		printf '*/arch/%s/*.%s\n' "$arch" '[chS]' "$arch" 'dts*'
	done
	printf '%s\n' '*/Documentation/*.rst' '*/Documentation/*.yaml' '*/tools/testing' '*/tools/perf'
	printf '*/%s/*.[ch]\n' drivers/{gpu,media,staging,scsi,infiniband,usb} drivers/net/{ethernet,wireless} sound
}

uml_unpack() {
	local new=$1
	uml_source_excludes >"$new/excludes"
	mkdir "$new/source"
	dpkg-deb --fsys-tarfile "$new"/linux-source-*.deb |
		tar -xO --wildcards '*/linux-source-*.tar.xz' |
		xz -dc -T0 |
		tar -x -C "$new/source" --strip-components=1 -X "$new/excludes"
}

uml_source_setup() {
	local kernel=$1 path new
	path=$(uml_source_path "$kernel")
	[ ! -e "$path" ] || return 0
	new=$CACHE/uml/new.$kernel-source
	rm -rf "$new"
	mkdir "$new"
	step "fetching linux-source for $kernel" rootfs_download "$kernel" "$new" \
		"linux-source-$(rootfs_kver "$kernel" | cut -d. -f1,2)"
	step "unpacking linux-source for $kernel" uml_unpack "$new"
	step "patching linux-source for $kernel" rootfs_run "$kernel" "source=$new/source patch=$LAB" \
		patch -d /lab/source -p1 -i /lab/patch/uml.patch
	settle "$new/source" "$path"
	rm -rf "$new"
	drop_older "$path" "$CACHE/uml/$kernel-source"
}

uml_source() {
	[ -e "$(uml_source_path "$1")" ] || locked "uml-source-$1" uml_source_setup "$1"
}

uml_run_make() {
	local kernel=$1 new=$2
	shift 2
	rootfs_run "$kernel" "kernel=$new source=$(uml_source_path "$kernel")" \
		nice make -C /lab/source O=/lab/kernel ARCH=um -j"$(nproc)" "$@"
}

# Later lines win, in kconfig as here.
uml_wanted() {
	cat "$LAB/uml.config" "$([ "$1" = native ] && echo /dev/null || echo "$LAB/uml-$1.config")" |
		grep -E '^(CONFIG_|# CONFIG_.* is not set)' |
		awk '{ name = $0; sub(/^# /, "", name); sub(/[= ].*/, "", name); line[name] = $0 }
			END { for (name in line) print line[name] }' | sort
}

uml_configure() {
	local guest=$1 kernel=$2 new=$3
	uml_wanted "$guest" >"$new/.config"
	uml_run_make "$kernel" "$new" -s olddefconfig
	uml_config_check "$guest" "$new/.config"
}

# A missing CONFIG_X=y is an error; an unset option may be absent altogether.
uml_config_check() {
	local unmet
	unmet=$(uml_wanted "$1" | grep -v '^#' | grep -vxFf "$2" || true)
	[ -z "$unmet" ] || {
		printf 'kconfig did not take:\n%s\n' "$unmet"
		return 1
	}
}

# modules_prepare leaves what modules need; the rest is no longer of use.
uml_make() {
	local kernel=$1 new=$2
	uml_run_make "$kernel" "$new" linux modules_prepare
	uml_run_make "$kernel" "$new" modules
	find "$new" -name '*.o' -not -path '*/scripts/*' -delete
	rm -f "$new"/vmlinux "$new"/vmlinux.unstripped
}

uml_kernel_setup() {
	local guest=$1 kernel=$2 path new
	path=$(uml_path "$guest" "$kernel")
	[ ! -e "$path" ] || return 0
	new=$CACHE/uml/new.$kernel-$guest
	rm -rf "$new"
	mkdir "$new"
	step "configuring the $guest UML kernel $kernel" uml_configure "$guest" "$kernel" "$new"
	step "building the $guest UML kernel $kernel" uml_make "$kernel" "$new"
	settle "$new" "$path"
	drop_older "$path" "$CACHE/uml/$kernel-$guest"
}

uml_setup() {
	local kernel=$1 guest=$2
	rootfs "$kernel"
	uml_source "$kernel"
	[ -e "$(uml_path "$guest" "$kernel")" ] || locked "uml-$kernel-$guest" uml_kernel_setup "$guest" "$kernel"
}

# slab_debug=F checks free lists and keeps slabs from caching freed objects in arrays,
# whose stale pointers would hide leaks from kmemleak. It slows every allocation
# down, so not where nanoseconds are measured.
#
# stdout is CMD's console; the kernel's goes to descriptor 3. Only a terminal can
# be an input channel.
uml_words() {
	local input=null checks=''
	if [ "$TERMINAL" = 1 ]; then
		input=fd:0
	fi
	if [ "$1" = debug ]; then
		checks='kmemleak=on slab_debug=F'
	fi
	echo "mem=$MEMORY seccomp=on root=/dev/root rootfstype=hostfs rootflags=/ ro init=/sbin/lab-init" \
		"con=null con0=$input,fd:1 con1=null,fd:3 console=tty1 quiet loglevel=5 panic=-1 $checks" \
		"ubd0r=/lab/run/in.tar ubd1=/lab/run/out.tar lab_in=ubda lab_out=ubdb lab_tty=tty0"
}

# In the chroot. Where the guest's memory is: a kernel on its own machine maps all of it by
# pages of 2 MB or 1 GB, so that data which is not in the cache does not also cost a walk of the
# page tables; UML has the pages that its memory's file has. A machine that has no
# large ones gives it small ones, and what many connections cost is then more.
#
# Once in a while UML stays, when it has powered down, waiting for a lock of a thread that it
# has killed; and all that there is to know has been written by then.
uml_inside() {
	local guest
	mkdir /lab/memory
	mount -t tmpfs -o huge=always tmpfs /lab/memory 2>/dev/null || mount -t tmpfs tmpfs /lab/memory
	TMPDIR=/lab/memory timeout --foreground -k 10 "$@" <&0 &
	guest=$!
	grep -q 'reboot: Power down' < <(tail -n +1 -f --pid=$guest /lab/run/console) &&
		sleep 3 && pkill -9 -P $guest &
	wait $guest
}

uml_boot() {
	local guest=$1 kernel=$2 run=$3 binds
	binds="kernel=$(uml_path "$guest" "$kernel") run=$run"
	# shellcheck disable=SC2046 # a list of words
	rootfs_run "$kernel" "$binds" bash -euc "$(declare -f uml_inside); uml_inside \"\$@\"" - \
		"$TIMEOUT" /lab/kernel/linux $(uml_words "$guest") $(job_words) 3>"$run/console"
}
