#!/bin/sh
# try-package.sh ROOT DEB NEXT_DEB: what becomes of a machine on which the package is installed, used,
# upgraded, removed and purged. ROOT is a bare Debian that may be spoilt.
set -eu
root=$1
cp "$2" "$root/torhaus.deb"
cp "$3" "$root/next.deb"
cp debian/tests/serve "$root/serve"

inside() {
	chroot "$root" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 sh -euc "$1"
}

# must WHAT COMMAND: said if the command fails.
must() {
	inside "$2" || {
		echo "try-package: $1: $2" >&2
		exit 1
	}
}

inside 'apt-get -q -y install --no-install-recommends curl python3 >/dev/null'
inside 'apt-get -q -y install /torhaus.deb'
must "the user is there" 'getent passwd torhaus | grep /var/lib/torhaus'
must "the settings are a conffile" 'dpkg-query -W -f "\${Conffiles}" torhaus | grep " /etc/torhaus/torhaus.conf "'
must "the store is the server's" '[ "$(stat -c %U /var/lib/torhaus/torhaus.db)" = torhaus ]'
must "keys are nobody else's" '[ "$(stat -c %a /etc/torhaus/certs)" = 700 ]'
must "a domain is added" 'torhaus domain add example.test --origin http://127.0.0.1:8080'
must "it serves" '/serve'

inside 'echo "# by hand" >>/etc/torhaus/torhaus.conf; echo other >/etc/torhaus/certs/customer.crt'
inside 'apt-get -q -y install /next.deb'
must "an upgrade leaves settings and domains" 'tail -n 1 /etc/torhaus/torhaus.conf | grep "by hand"; torhaus domain list | grep example.test'

inside 'apt-get -q -y remove torhaus'
must "removing leaves settings and store" '[ -e /etc/torhaus/torhaus.conf ] && [ -e /var/lib/torhaus/torhaus.db ] && ! [ -e /usr/sbin/torhaus ]'

inside 'apt-get -q -y purge torhaus'
must "purging leaves what is not ours alone" '[ "$(find /etc/torhaus -type f)" = /etc/torhaus/certs/customer.crt ] && ! [ -e /var/lib/torhaus ]'
echo "installed, used, upgraded, removed, purged"
