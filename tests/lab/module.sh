# SPDX-License-Identifier: GPL-2.0
# The source tree, and kernel modules built from a copy of it for one guest.
# shellcheck shell=bash

tree_is_git() { git -c safe.directory='*' -C "$TREE" rev-parse --git-dir >/dev/null 2>&1; }

# Everything that is source, NUL between names.
tree_files() {
	local file
	if tree_is_git; then
		git -c safe.directory='*' -C "$TREE" ls-files -zco --exclude-standard
	else
		(cd "$TREE" && find . -type f -not -path './.git/*' -printf '%P\0')
	fi | while IFS= read -rd '' file; do
		[ ! -e "$TREE/$file" ] && [ ! -L "$TREE/$file" ] || printf '%s\0' "$file"
	done | sort -z
}

module_variant() {
	case $1 in
	stock | counted) echo stock ;;
	*) echo "$1" ;;
	esac
}

module_dir() { echo "$CACHE/build/$(short_hash <<<"$TREE")/$(module_variant "$1")-$2"; }

# Bring the copy up to date, old objects kept for an incremental build.
module_sync() {
	local dir=$1
	mkdir -p "$dir/tree"
	tree_files >"$dir/files.new"
	if [ -e "$dir/files" ]; then
		(cd "$dir/tree" && comm -z23 "$dir/files" "$dir/files.new" | xargs -0r rm -f)
	fi
	# cp takes files for new ones after it had to make a directory.
	xargs -0r dirname -z -- <"$dir/files.new" | sort -zu | (cd "$dir/tree" && xargs -0r mkdir -p --)
	(cd "$TREE" && xargs -0r cp -Ppu --remove-destination --parents -t "$dir/tree") <"$dir/files.new"
	mv "$dir/files.new" "$dir/files"
}

# Where the kernel's build directory is, as the rootfs sees it.
module_kdir() {
	case $1 in
	stock) echo "/lib/modules/$(rootfs_kver "$2")/build" ;;
	*) echo /lab/kernel ;;
	esac
}

module_make_words() {
	echo "KDIR=$(module_kdir "$1" "$2")"
	[ "$1" = stock ] || echo ARCH=um
}

module_binds() {
	echo "tree=$3/tree"
	[ "$1" = stock ] || echo "kernel=$(uml_path "$1" "$2") source=$(uml_source_path "$2")"
}

# A rebuilt kernel or another rootfs makes old objects worthless.
module_stamp() {
	rootfs_path "$2"
	[ "$1" = stock ] || uml_path "$1" "$2"
}

module_fresh() {
	local dir=$1 stamp
	stamp=$(module_stamp "$2" "$3")
	if [ "$(cat "$dir/stamp" 2>/dev/null)" != "$stamp" ]; then
		rm -rf "$dir"
		mkdir -p "$dir"
		echo "$stamp" >"$dir/stamp"
	fi
}

# The main module by the tree's own Makefile, others by their Kbuild.
module_make() {
	local variant=$1 kernel=$2 dir=$3 words binds extra
	words=$(module_make_words "$variant" "$kernel")
	binds=$(module_binds "$@" | tr '\n' ' ')
	# shellcheck disable=SC2086 # words
	[ ! -e "$dir/tree/Kbuild" ] || rootfs_run "$kernel" "$binds" make -C /lab/tree -j"$(nproc)" $words
	for extra in "${EXTRA_MODULES[@]}"; do
		# shellcheck disable=SC2086 # words
		rootfs_run "$kernel" "$binds" make -C "$(module_kdir "$variant" "$kernel")" -j"$(nproc)" \
			$words M="/lab/tree/$extra" modules
	done
}

module_collect() {
	local dir=$1 extra
	rm -rf "$dir/modules"
	mkdir "$dir/modules"
	for extra in . "${EXTRA_MODULES[@]}"; do
		find "$dir/tree/$extra" -maxdepth 1 -name '*.ko' -exec cp {} "$dir/modules" \;
	done
	[ ! -e "$dir/tree/flowtun/flowtun" ] || cp "$dir/tree/flowtun/flowtun" "$dir/modules"
}

module_build_locked() {
	local variant=$1 kernel=$2 dir=$3
	module_fresh "$dir" "$variant" "$kernel"
	module_sync "$dir"
	if [ -e "$TREE/flowtun/Makefile" ]; then
		tool_headers "$kernel"
		step "flowtun for $kernel" tool_make "$kernel" "$dir"
	fi
	if [ -e "$TREE/Kbuild" ] || [ ${#EXTRA_MODULES[@]} != 0 ]; then
		step "modules for $variant $kernel" module_make "$variant" "$kernel" "$dir"
	fi
	module_collect "$dir"
	# The caller's own copy: the next build may come at any time.
	[ -z "${4-}" ] || cp -a "$dir/modules" "$4"
}

# module_build GUEST KERNEL [DIR]: leave copies of the modules in DIR.
module_build() {
	local variant dir
	variant=$(module_variant "$1")
	dir=$(module_dir "$1" "$2")
	mkdir -p "$(dirname "$dir")"
	locked "build-$(short_hash <<<"$dir")" module_build_locked "$variant" "$2" "$dir" "${3-}"
}
