# Sourced by the scripts: where the tree is, and the builds. Plain sh. A script begins with
#   . "$(dirname "$0")/lib/common.sh"
# and then works in the root of the tree, whatever folder it was called from.

root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
# shellcheck source=script/lib/packages.sh
. script/lib/packages.sh

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# build_in FOLDER [meson setup option…]: sets the folder up if it is not there, and compiles
# everything. A folder set up by these scripts with other options is set up anew; one that somebody
# else set up stays as it is.
build_in() {
	build_folder=$1
	shift
	build_options="CC=${CC:-} $*"
	if [ -f "$build_folder/.options" ] && [ "$(cat "$build_folder/.options")" != "$build_options" ]; then
		rm -rf "$build_folder"
	fi
	if [ ! -f "$build_folder/build.ninja" ]; then
		meson setup "$build_folder" "$@" || return 1
		echo "$build_options" >"$build_folder/.options"
	fi
	meson compile -C "$build_folder"
}

# The builds, so that every script builds the same thing.
build_release() {
	build_in build --buildtype=release -Doptimization=2 -Ddebug=true -Dtests=false
}
build_asan() {
	build_in build-asan -Db_sanitize=address,undefined
}
build_tsan() {
	build_in build-tsan -Db_sanitize=thread
}
