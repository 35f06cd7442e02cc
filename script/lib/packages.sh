# Sourced by the scripts: which Debian packages each purpose needs, and how the missing ones are
# installed. Plain sh.

# The packages of one purpose, one a line.
packages_of() {
	case $1 in
	build)
		cat <<-LIST
			gcc
			libc6-dev
			libidn2-dev
			libjansson-dev
			libseccomp-dev
			libsqlite3-dev
			libssl-dev
			linux-libc-dev
			meson
			ninja-build
			pkg-config
		LIST
		;;
	test)
		cat <<-LIST
			chromium
			clang
			clang-format
			curl
			gnutls-bin
			goaccess
			iproute2
			knot
			libcmocka-dev
			nghttp2-client
			nginx-light
			openssl
			procps
			python3
			python3-cryptography
			python3-pytest
			sqlite3
			squid
			util-linux
		LIST
		;;
	lint)
		cat <<-LIST
			clang-format
			python3
		LIST
		;;
	fuzz)
		cat <<-LIST
			clang
			libclang-rt-14-dev
		LIST
		;;
	bench)
		cat <<-LIST
			apache2-utils
			dnsdist
			dnsmasq-base
			dnsperf
			h2o
			haproxy
			knot
			nghttp2-client
			nginx-light
			openssl
			python3
			trafficserver
			unbound
			varnish
			wrk
		LIST
		;;
	*)
		echo "packages_of: no such purpose: $1" >&2
		return 1
		;;
	esac
}

# The names among those on standard input that are not installed.
packages_missing() {
	while read -r package; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
		installed) ;;
		*) echo "$package" ;;
		esac
	done
}

# The same script is read by sh -eu as root; $@: the packages. Some of them are servers (the tests
# and measurements start their own copies): policy-rc.d keeps Debian from starting them now,
# and they are not to start with the machine either.
packages_install_as_root='
	export DEBIAN_FRONTEND=noninteractive
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		trap "rm -f $policy" EXIT
		trap "exit 1" HUP INT TERM
		printf "#!/bin/sh\nexit 101\n" >$policy
		chmod 755 $policy
	fi
	apt-get -q -o DPkg::Lock::Timeout=300 update
	apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@"
	for package; do
		case $package in
		nginx-light) unit=nginx ;;
		dnsdist | h2o | haproxy | knot | squid | trafficserver | unbound | varnish) unit=$package ;;
		*) continue ;;
		esac
		if [ -d /run/systemd/system ]; then
			systemctl --quiet disable "$unit" || :
		fi
	done
'

# need_packages PURPOSE…: installs what is missing; runs nothing but dpkg-query if nothing is.
need_packages() {
	if ! command -v dpkg-query >/dev/null; then
		echo "This is not a Debian system: the packages cannot be looked up or installed." >&2
		echo "The scripts are made for Debian 12; elsewhere build with meson as usual." >&2
		return 1
	fi
	packages_wanted=$(for purpose; do packages_of "$purpose" || exit 1; done) || return 1
	packages_lacking=$(echo "$packages_wanted" | sort -u | packages_missing | tr '\n' ' ')
	[ -n "$packages_lacking" ] || return 0

	if [ "$(id -u)" -eq 0 ]; then
		packages_root=
	elif command -v sudo >/dev/null; then
		packages_root=sudo
	else
		echo "Packages are missing, and only root can install them. Run this as root (or install sudo):" >&2
		echo "  apt-get update && apt-get install --no-install-recommends $packages_lacking" >&2
		return 1
	fi
	echo "Installing: $packages_lacking"
	# The lists are words without blanks or patterns: splitting is what is wanted.
	# shellcheck disable=SC2086
	if ! $packages_root sh -euc "$packages_install_as_root" sh $packages_lacking </dev/null; then
		echo "Installing failed; see above. By hand, as root:" >&2
		echo "  apt-get update && apt-get install --no-install-recommends $packages_lacking" >&2
		return 1
	fi
}
