/*
 * The table of keys, and what it cannot say: addresses are parsed, none may be listened on twice.
 *
 * Presets are what is safe when nothing is written: no listener (with port 80 in a preset, a test
 * that forgot the key would take the port), bounded times, bounded memory.
 *
 * Listening twice on one address is refused here because the kernel does not: with SO_REUSEPORT
 * both sockets open, and every other visitor of the plain port would get TLS.
 */
#include "settings/settings.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/mem.h"
#include "dns/dns.h"
#include "store/store.h"

#define HOUR 3600000u
#define DAY  (24 * HOUR)

/* Flag of a key that a running worker cannot take. */
#define NEW_WORKER 1u

/* ---- judges ---- */

static const char *judge_path(struct span value)
{
	return span_starts(value, SPAN("/")) ? NULL : "it does not begin with a /|es beginnt nicht mit einem /";
}

static const char *judge_store(struct span value)
{
	return store_url_is_valid(value) ? NULL : "there is no such kind of store|einen solchen Store gibt es nicht";
}

static const char *judge_control(struct span value)
{
	struct sockaddr_un un;

	if (value.n >= sizeof(un.sun_path))
		return "the path is too long for a socket|der Pfad ist für einen Socket zu lang";
	return judge_path(value);
}

static const char *judge_user(struct span value)
{
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];

		if (!(c >= 'a' && c <= 'z') && c != '_' && !(i > 0 && (ascii_digit(c) || c == '-')))
			return "it is not the name of a user|es ist kein Benutzername";
	}
	return value.n > 32 ? "it is not the name of a user|es ist kein Benutzername" : NULL;
}

static const char *judge_listen(struct span value)
{
	struct net_addr addr;

	if (net_addr_parse(value, -1, &addr) == 0 && addr.sa.sa_family != AF_UNIX)
		return NULL;
	if (net_addr_parse(value, 0, &addr) == 0 && addr.sa.sa_family != AF_UNIX)
		return "the port is missing|der Port fehlt";
	return "it is not an address with port|es ist keine Adresse mit Port";
}

static const char *judge_network(struct span value)
{
	struct net_prefix prefix;

	return net_prefix_parse(value, &prefix) == 0 ? NULL : "it is not a network|es ist kein Netz";
}

static const char *judge_upstream(struct span value)
{
	struct net_addr addr;

	return net_addr_parse(value, DNS_PORT, &addr) == 0 && addr.sa.sa_family != AF_UNIX && net_addr_port(&addr) != 0
		? NULL
		: "it is not the address of a server|es ist nicht die Adresse eines Servers";
}

static const char *judge_hostname(struct span value)
{
	for (size_t i = 0; i < value.n; i++) {
		char c = ascii_lower(value.p[i]);

		if (!(c >= 'a' && c <= 'z') && !ascii_digit(c) && c != '-' && c != '.')
			return "it is not a host name|es ist kein Hostname";
	}
	return value.n > 255 ? "it is not a host name|es ist kein Hostname" : NULL;
}

static const char *judge_health_path(struct span value)
{
	return value.n == 0 ? NULL : judge_path(value);
}

static const char *judge_access_to(struct span value)
{
	return span_eq(value, SPAN("stderr")) ? NULL : judge_path(value);
}

static const char *judge_log_to(struct span value)
{
	return span_eq(value, SPAN("journald")) ? NULL : judge_access_to(value);
}

/* ---- the table ---- */

/* In the order of enum web_forwarded_by. */
static const char *const forwarded_bys[] = { "x-forwarded", "forwarded", NULL };

/* In the order of enum access_format. */
static const char *const access_formats[] = { "off", "json", "combined", NULL };

static const char wanted_listen[] =
	"addresses with port such as {\"0.0.0.0:80\", \"[::]:80\"}|Adressen mit Port wie {\"0.0.0.0:80\", \"[::]:80\"}";

#define AT(field) offsetof(struct settings_web, field)
static const struct conf_key web_keys[] = {
	{ "listen", CONF_LIST, AT(listen), .max = SETTINGS_LISTEN_MAX, .judge = judge_listen, .wanted = wanted_listen,
		.help_en = "Addresses for HTTP, such as {\"0.0.0.0:80\", \"[::]:80\"}; port 0 picks a free one.",
		.help_de = "Adressen für HTTP, etwa {\"0.0.0.0:80\", \"[::]:80\"}; Port 0 wählt einen freien." },
	{ "listen_tls", CONF_LIST, AT(listen_tls), .max = SETTINGS_LISTEN_MAX, .judge = judge_listen,
		.wanted = wanted_listen, .help_en = "Addresses for HTTPS, such as {\"0.0.0.0:443\", \"[::]:443\"}.",
		.help_de = "Adressen für HTTPS, etwa {\"0.0.0.0:443\", \"[::]:443\"}." },
	{ "redirect_to_tls", CONF_BOOL, AT(redirect_to_tls), "false",
		.help_en = "Redirect all sites from HTTP to HTTPS (a single domain has a switch of its own).",
		.help_de =
			"Alle Sites von HTTP auf HTTPS umleiten (eine einzelne Domain hat einen eigenen Schalter)." },
	{ "proxy_from", CONF_LIST, AT(proxy_from), .max = SETTINGS_PROXY_MAX, .judge = judge_network,
		.wanted = "networks such as {\"10.0.0.0/8\", \"2001:db8::/32\"}|"
			  "Netze wie {\"10.0.0.0/8\", \"2001:db8::/32\"}",
		.help_en = "Networks of load balancers: their connections must begin with a PROXY protocol header.",
		.help_de = "Netze von Lastverteilern: Ihre Verbindungen müssen mit einem PROXY-Kopf beginnen." },
	{ "forwarded_from", CONF_LIST, AT(forwarded_from), .max = SETTINGS_PROXY_MAX, .judge = judge_network,
		.wanted = "networks such as {\"10.0.0.0/8\", \"2001:db8::/32\"}|"
			  "Netze wie {\"10.0.0.0/8\", \"2001:db8::/32\"}",
		.help_en = "Networks of load balancers and CDNs whose word on the visitor's address and scheme counts.",
		.help_de =
			"Netze von Lastverteilern und CDNs, deren Wort über Adresse und Schema des Besuchers gilt." },
	{ "forwarded_by", CONF_ENUM, AT(forwarded_by), "x-forwarded", .choices = forwarded_bys,
		.help_en =
			"The fields in which they say it: x-forwarded (X-Forwarded-For, X-Forwarded-Proto) or "
			"forwarded (RFC 7239); those that a balancer does not write itself, it passes on from anybody.",
		.help_de =
			"Die Felder, in denen sie es sagen: x-forwarded (X-Forwarded-For, X-Forwarded-Proto) oder forwarded "
			"(RFC 7239); was ein Lastverteiler nicht selbst schreibt, reicht er von jedem durch." },
	{ "public_tls_port", CONF_UINT, AT(public_tls_port), "0", 0, 65535,
		.help_en =
			"The port in redirects to https, where NAT or a container shows another one than listen_tls; 0: "
			"as it seems.",
		.help_de = "Der Port in Umleitungen auf https, wo NAT oder ein Container einen anderen zeigt als "
			   "listen_tls; 0: wie es scheint." },
	{ "health_path", CONF_TEXT, AT(health_path), "/torhaus-health", .judge = judge_health_path,
		.wanted = "a path such as \"/torhaus-health\", or \"\"|einen Pfad wie \"/torhaus-health\" oder \"\"",
		.help_en =
			"The path that tells a load balancer whether this server serves (200, or 503 while it ends); "
			"asked by address or by HTTP/1.0 without Host, never under a site's name. Empty: none.",
		.help_de =
			"Der Pfad, der einem Lastverteiler sagt, ob dieser Server bedient (200, oder 503, während er endet); "
			"gefragt über die Adresse oder mit HTTP/1.0 ohne Host, nie unter dem Namen einer Site. Leer: keiner." },
	{ "cache_memory", CONF_SIZE, AT(cache_memory), "256M", 1u << 20, 1ull << 44,
		.help_en = "Memory that cached answers may take, all overhead included.",
		.help_de = "Arbeitsspeicher, den gecachte Antworten belegen dürfen, samt allem Beiwerk." },
	{ "cache_share", CONF_UINT, AT(cache_share), "50", 1, 100,
		.help_en = "Percent of cache_memory that one site keeps while others need room.",
		.help_de = "Wie viel Prozent von cache_memory eine Site behält, während andere Platz brauchen." },
	{ "answer_fields_max", CONF_UINT, AT(answer_fields_max), "256", 16, 1000,
		.help_en = "Header fields that an origin's answer may have; one with more is refused (502).",
		.help_de =
			"Header-Felder, die die Antwort eines Ursprungsservers haben darf; eine mit mehr wird abgewiesen "
			"(502)." },
	{ "connections_max", CONF_UINT, AT(connections_max), "20000", 16, 1000000,
		.help_en = "Open connections at a time; more are closed at once.",
		.help_de = "Gleichzeitig offene Verbindungen; weitere werden sofort geschlossen." },
	{ "tls_timeout", CONF_DURATION, AT(tls_timeout_ms), "10s", 50, HOUR,
		.help_en = "How long a TLS handshake or a PROXY header may take.",
		.help_de = "Wie lange ein TLS-Handshake oder ein PROXY-Kopf dauern darf." },
	{ "head_timeout", CONF_DURATION, AT(limits.head_timeout_ms), "10s", 50, HOUR,
		.help_en = "How long the head of a request may take, from its first byte.",
		.help_de = "Wie lange der Kopf einer Anfrage ab seinem ersten Byte dauern darf." },
	{ "body_timeout", CONF_DURATION, AT(limits.body_timeout_ms), "30s", 50, HOUR,
		.help_en = "How long a visitor may pause within the body of a request.",
		.help_de = "Wie lange ein Besucher innerhalb des Inhalts einer Anfrage innehalten darf." },
	{ "send_timeout", CONF_DURATION, AT(limits.send_timeout_ms), "30s", 50, HOUR,
		.help_en = "How long a visitor may take nothing of an answer.",
		.help_de = "Wie lange ein Besucher nichts von einer Antwort abzunehmen braucht." },
	{ "keep_alive", CONF_DURATION, AT(limits.keep_alive_ms), "60s", 0, DAY,
		.help_en = "How long a connection may be idle between requests; 0 closes it after each.",
		.help_de = "Wie lange eine Verbindung zwischen Anfragen ruhen darf; 0 schließt sie nach jeder." },
	{ "keep_alive_requests", CONF_UINT, AT(limits.requests_max), "10000", 1, 1000000000,
		.help_en = "Requests on one connection before it is closed.",
		.help_de = "Anfragen auf einer Verbindung, bevor sie geschlossen wird." },
	{ NULL },
};
#undef AT

#define AT(field) offsetof(struct settings_mail, field)
static const struct conf_key mail_keys[] = {
	{ "listen", CONF_LIST, AT(listen), .max = SETTINGS_LISTEN_MAX, .judge = judge_listen,
		.wanted = "addresses with port such as {\"0.0.0.0:25\", \"[::]:25\"}|"
			  "Adressen mit Port wie {\"0.0.0.0:25\", \"[::]:25\"}",
		.help_en =
			"Addresses for SMTP with STARTTLS, such as {\"0.0.0.0:25\", \"[::]:25\"}; port 0 picks a free one.",
		.help_de =
			"Adressen für SMTP mit STARTTLS, etwa {\"0.0.0.0:25\", \"[::]:25\"}; Port 0 wählt einen freien." },
	{ "listen_tls", CONF_LIST, AT(listen_tls), .max = SETTINGS_LISTEN_MAX, .judge = judge_listen,
		.wanted = "addresses with port such as {\"0.0.0.0:465\"}|Adressen mit Port wie {\"0.0.0.0:465\"}",
		.help_en = "Addresses for SMTP within TLS from the first byte, such as {\"0.0.0.0:465\"}.",
		.help_de = "Adressen für SMTP in TLS vom ersten Byte an, etwa {\"0.0.0.0:465\"}." },
	{ "hostname", CONF_TEXT, AT(hostname), .judge = judge_hostname,
		.wanted = "a host name such as \"mx.example.net\"|ein Hostname wie \"mx.example.net\"",
		.help_en = "The name of this server in greetings and Received lines; empty: the system's.",
		.help_de = "Der Name dieses Servers in Begrüßungen und Received-Zeilen; leer: der des Systems." },
	{ "message_size_max", CONF_SIZE, AT(message_size_max), "50M", 1u << 16, 1ull << 40,
		.help_en = "The largest message that is taken.",
		.help_de = "Die größte Nachricht, die angenommen wird." },
	{ "tls_grace", CONF_DURATION, AT(tls_grace_ms), "4h", 0, 30 * DAY,
		.help_en = "How long a sender without TLS is put off (450) where encryption is required, before it is "
			   "refused (550); 0: refused at once.",
		.help_de =
			"Wie lange ein Absender ohne TLS aufgeschoben wird (450), wo Verschlüsselung verlangt ist, bevor er "
			"abgewiesen wird (550); 0: sofort." },
	{ "proxy_from", CONF_LIST, AT(proxy_from), .max = SETTINGS_PROXY_MAX, .judge = judge_network,
		.wanted = "networks such as {\"10.0.0.0/8\", \"2001:db8::/32\"}|"
			  "Netze wie {\"10.0.0.0/8\", \"2001:db8::/32\"}",
		.help_en = "Networks of load balancers: their connections must begin with a PROXY protocol header.",
		.help_de = "Netze von Lastverteilern: Ihre Verbindungen müssen mit einem PROXY-Kopf beginnen." },
	{ "connections_max", CONF_UINT, AT(connections_max), "10000", 1, 1000000,
		.help_en = "Sessions at a time; more are told 421.",
		.help_de = "Gleichzeitige Sitzungen; weitere bekommen 421." },
	{ "connections_per_network", CONF_UINT, AT(connections_per_network), "500", 1, 1000000,
		.help_en = "Sessions at a time from one network (/24, IPv6 /56).",
		.help_de = "Gleichzeitige Sitzungen aus einem Netz (/24, IPv6 /56)." },
	{ "recipients_max", CONF_UINT, AT(recipients_max), "1000", 1, 100000,
		.help_en = "Recipients of one message; for more the sender makes another.",
		.help_de = "Empfänger einer Nachricht; für weitere macht der Absender eine neue." },
	{ "commands_max", CONF_UINT, AT(commands_max), "3000", 10, 1000000,
		.help_en = "Commands of a session since its last message.",
		.help_de = "Befehle einer Sitzung seit ihrer letzten Nachricht." },
	{ "errors_max", CONF_UINT, AT(errors_max), "20", 1, 1000000,
		.help_en =
			"Errors since the last message that was taken, unknown recipients among them, before the session is ended.",
		.help_de =
			"Fehler seit der letzten angenommenen Nachricht, auch unbekannte Empfänger, bevor die Sitzung beendet wird." },
	{ "tarpit", CONF_DURATION, AT(tarpit_ms), "1s", 0, HOUR,
		.help_en = "How long each further error takes, once half of errors_max is used up.",
		.help_de = "Wie lange jeder weitere Fehler dauert, wenn die Hälfte von errors_max verbraucht ist." },
	{ "tls_timeout", CONF_DURATION, AT(tls_timeout_ms), "30s", 50, HOUR,
		.help_en = "How long a TLS handshake or a PROXY header may take.",
		.help_de = "Wie lange ein TLS-Handshake oder ein PROXY-Kopf dauern darf." },
	{ "command_timeout", CONF_DURATION, AT(command_timeout_ms), "5m", 50, DAY,
		.help_en = "How long a client may take for its next command (RFC 5321: at least 5 minutes).",
		.help_de =
			"Wie lange ein Client für den nächsten Befehl brauchen darf (RFC 5321: mindestens 5 Minuten)." },
	{ "data_timeout", CONF_DURATION, AT(data_timeout_ms), "5m", 50, DAY,
		.help_en =
			"How long a client may pause within a message; beyond that it has to send 500 bytes a second on the "
			"average.",
		.help_de =
			"Wie lange ein Client in einer Nachricht innehalten darf; danach muss er im Mittel 500 Bytes je "
			"Sekunde senden." },
	{ "connect_timeout", CONF_DURATION, AT(connect_timeout_ms), "10s", 50, HOUR,
		.help_en = "How long connecting to a backend may take.",
		.help_de = "Wie lange das Verbinden mit einem Backend dauern darf." },
	{ "backend_timeout", CONF_DURATION, AT(backend_timeout_ms), "2m", 50, HOUR,
		.help_en = "How long a backend may take for a reply before the sender is told 451.",
		.help_de = "Wie lange ein Backend für eine Antwort brauchen darf, bevor der Absender 451 bekommt." },
	{ "final_timeout", CONF_DURATION, AT(final_timeout_ms), "590s", 50, HOUR,
		.help_en =
			"The same for its reply to the whole message; a little less than the 10 minutes that senders wait.",
		.help_de = "Dasselbe für seine Antwort auf die ganze Nachricht; etwas weniger als die 10 Minuten, die "
			   "Absender warten." },
	{ NULL },
};
#undef AT

#define AT(field) offsetof(struct settings_names, field)
static const struct conf_key names_keys[] = {
	{ "listen", CONF_LIST, AT(listen), .max = SETTINGS_LISTEN_MAX, .judge = judge_listen,
		.wanted = "addresses with port such as {\"127.0.0.1:53\", \"[::1]:53\"}|"
			  "Adressen mit Port wie {\"127.0.0.1:53\", \"[::1]:53\"}",
		.help_en = "Addresses for DNS by UDP and TCP, such as {\"127.0.0.1:53\"}; port 0 picks a free one.",
		.help_de = "Adressen für DNS über UDP und TCP, etwa {\"127.0.0.1:53\"}; Port 0 wählt einen freien." },
	{ "forward", CONF_LIST, AT(forward), .max = SETTINGS_FORWARD_MAX, .judge = judge_upstream,
		.wanted = "addresses such as {\"192.0.2.1\", \"[2001:db8::1]:5353\"}|"
			  "Adressen wie {\"192.0.2.1\", \"[2001:db8::1]:5353\"}",
		.help_en =
			"Resolvers that are asked for everything that is no name of a domain here, the preferred first; also for "
			"origins and mail backends that are host names (without any: those of /etc/resolv.conf).",
		.help_de =
			"Resolver, die nach allem gefragt werden, was hier kein Name einer Domain ist, der bevorzugte zuerst; "
			"auch nach Ursprungsservern und Mail-Backends, die Hostnamen sind (ohne Angabe: die aus "
			"/etc/resolv.conf)." },
	{ "allow", CONF_LIST, AT(allow), "127.0.0.0/8 ::1", .max = SETTINGS_ALLOW_MAX, .judge = judge_network,
		.wanted = "networks such as {\"10.0.0.0/8\", \"2001:db8::/32\"}|"
			  "Netze wie {\"10.0.0.0/8\", \"2001:db8::/32\"}",
		.help_en = "Networks that may ask; all others are refused.",
		.help_de = "Netze, die fragen dürfen; alle anderen werden abgewiesen." },
	{ "forward_private", CONF_BOOL, AT(forward_private), "false",
		.help_en =
			"The reverse zones of private networks (10.in-addr.arpa and its like) are known to the resolvers "
			"of forward: ask there. Else they are answered here: no such name (RFC 6303).",
		.help_de =
			"Die Rückwärtszonen privater Netze (10.in-addr.arpa und dergleichen) kennen die Resolver von "
			"forward: dort fragen. Sonst werden sie hier beantwortet: kein solcher Name (RFC 6303)." },
	{ NULL },
};
#undef AT

static const char *const log_levels[] = { "error", "warning", "info", "debug", NULL };

#define AT(field) offsetof(struct settings_log, field)
static const struct conf_key log_keys[] = {
	{ "level", CONF_ENUM, AT(level), "info", .choices = log_levels,
		.help_en = "The least urgent events that are logged: error, warning, info, or debug for a while.",
		.help_de =
			"Die unwichtigsten Ereignisse, die protokolliert werden: error, warning, info oder zeitweise debug." },
	{ "access", CONF_ENUM, AT(access), "json", .choices = access_formats,
		.help_en = "Access log: json, combined (as Apache writes it) or off.",
		.help_de = "Zugriffsprotokoll: json, combined (wie von Apache) oder off." },
	{ "access_to", CONF_TEXT, AT(access_to), "/var/log/torhaus/access.log", .judge = judge_access_to,
		.flags = NEW_WORKER, .wanted = "\"stderr\" or the path of a file|\"stderr\" oder der Pfad einer Datei",
		.help_en = "Where the access log goes: stderr or a file.",
		.help_de = "Wohin das Zugriffsprotokoll geht: stderr oder eine Datei." },
	{ "to", CONF_TEXT, AT(to), "stderr", .judge = judge_log_to, .flags = NEW_WORKER,
		.wanted = "\"stderr\", \"journald\" or the path of a file|"
			  "\"stderr\", \"journald\" oder der Pfad einer Datei",
		.help_en = "Where events go: stderr, journald or a file.",
		.help_de = "Wohin Ereignisse gehen: stderr, journald oder eine Datei." },
	{ NULL },
};
#undef AT

#define AT(field) offsetof(struct settings, field)
const struct conf_key settings_keys[] = {
	{ "store", CONF_TEXT, AT(store), STORE_URL_PRESET, .judge = judge_store, .flags = NEW_WORKER,
		.wanted = STORE_URL_WANTED, .help_en = "Where the domains live.", .help_de = "Wo die Domains liegen." },
	{ "certificates", CONF_LIST, AT(certificates), "/etc/torhaus/certs", .max = 256, .judge = judge_path,
		.wanted = "absolute paths of folders|absolute Pfade von Ordnern",
		.help_en = "Folders with certificates and keys, watched; pairs are found by their names and keys.",
		.help_de =
			"Ordner mit Zertifikaten und Schlüsseln, beobachtet; Paare finden sich nach Namen und Schlüssel." },
	{ "user", CONF_TEXT, AT(user), "torhaus", .judge = judge_user, .flags = NEW_WORKER,
		.wanted = "the name of a user|der Name eines Benutzers",
		.help_en = "The user that the worker becomes when torhaus is started by root.",
		.help_de = "Der Benutzer, zu dem der Worker wird, wenn root torhaus startet." },
	{ "threads", CONF_UINT, AT(threads), "0", 0, 256, .flags = NEW_WORKER,
		.help_en = "Threads that serve; 0: one a core.",
		.help_de = "Threads, die bedienen; 0: einer je Kern." },
	{ "control", CONF_TEXT, AT(control), "/run/torhaus/control.sock", .judge = judge_control, .flags = NEW_WORKER,
		.wanted = "the absolute path of a socket|der absolute Pfad eines Sockets",
		.help_en = "The socket that `torhaus reload`, `status` and `stop` talk to.",
		.help_de = "Der Socket, mit dem `torhaus reload`, `status` und `stop` sprechen." },
	{ "web", CONF_SECTION, AT(web), .inner = web_keys,
		.help_en = "The web edge; without listen and listen_tls it is off.",
		.help_de = "Die Web-Edge; ohne listen und listen_tls ist sie aus." },
	{ "mail", CONF_SECTION, AT(mail), .inner = mail_keys,
		.help_en = "The mail edge; without listen and listen_tls it is off.",
		.help_de = "Die Mail-Edge; ohne listen und listen_tls ist sie aus." },
	{ "names", CONF_SECTION, AT(names), .inner = names_keys, .help_en = "The DNS edge; without listen it is off.",
		.help_de = "Die DNS-Edge; ohne listen ist sie aus." },
	{ "log", CONF_SECTION, AT(log), .inner = log_keys, .help_en = "Logs.", .help_de = "Protokolle." },
	{ NULL },
};
#undef AT

/* ---- from text ---- */

struct reading {
	struct settings *s;
	struct arena *a;
	struct conf_errors *errors;
	struct net_addr seen[5 * SETTINGS_LISTEN_MAX]; /* listened on so far */
	unsigned seen_n;
};

static bool contains(const struct net_addr *all, unsigned n, const struct net_addr *one)
{
	for (unsigned i = 0; i < n; i++)
		if (net_addr_eq(&all[i], one))
			return true;
	return false;
}

/* The addresses of one list; an address that is in it or in an earlier one already is a fault. */
static struct net_addr *take_listen(struct reading *r, const struct conf_list *list, const char *path)
{
	struct net_addr *all = arena_array(&r->s->arena, struct net_addr, list->n ? list->n : 1);

	for (unsigned i = 0; i < list->n; i++) {
		must(net_addr_parse(list->v[i], -1, &all[i]) == 0);
		if (net_addr_port(&all[i]) == 0)
			continue;
		if (!contains(r->seen, r->seen_n, &all[i])) {
			if (r->seen_n < array_len(r->seen))
				r->seen[r->seen_n++] = all[i];
			continue;
		}
		conf_error_value(r->errors, r->a, r->s->file.p, list->line, path, list->v[i],
			"this address is listened on already|auf dieser Adresse wird schon gelauscht",
			"each address once, in one of the lists|jede Adresse einmal, in einer der Listen");
	}
	return all;
}

static struct net_prefix *take_networks(struct reading *r, const struct conf_list *list)
{
	struct net_prefix *all = arena_array(&r->s->arena, struct net_prefix, list->n ? list->n : 1);

	for (unsigned i = 0; i < list->n; i++)
		must(net_prefix_parse(list->v[i], &all[i]) == 0);
	return all;
}

/* An upstream that is an address of our own would be asked by us what we ask it. Where a wildcard
 * is listened on, that shows only at run time (DNS-UPSTREAM-SELF). */
static void take_upstreams(struct reading *r, struct settings_names *names)
{
	const struct conf_list *list = &names->forward;

	names->upstreams = arena_array(&r->s->arena, struct net_addr, list->n ? list->n : 1);
	for (unsigned i = 0; i < list->n; i++) {
		struct net_addr *a = &names->upstreams[i];

		must(net_addr_parse(list->v[i], DNS_PORT, a) == 0);
		if (contains(names->addrs, names->listen.n, a))
			conf_error_value(r->errors, r->a, r->s->file.p, list->line, "names.forward", list->v[i],
				"names.listen has this address: the question would come back|"
				"names.listen hat diese Adresse: Die Frage käme zurück",
				"addresses of other resolvers|Adressen anderer Resolver");
		else if (contains(names->upstreams, i, a))
			conf_error_value(r->errors, r->a, r->s->file.p, list->line, "names.forward", list->v[i],
				"it stands there twice|es steht doppelt da",
				"each resolver once|jeden Resolver einmal");
	}
}

static void take_hostname(struct reading *r, struct settings_mail *mail)
{
	char name[256];

	if (mail->hostname.n > 0)
		return;
	if (gethostname(name, sizeof(name)) < 0 || !memchr(name, 0, sizeof(name)) || !*name)
		snprintf(name, sizeof(name), "localhost");
	mail->hostname = arena_span(&r->s->arena, span_of(name));
}

/* What the texts that fit mean. */
static void take_meanings(struct reading *r)
{
	struct settings_web *web = &r->s->web;
	struct settings_mail *mail = &r->s->mail;
	struct settings_names *names = &r->s->names;

	web->plain = take_listen(r, &web->listen, "web.listen");
	web->tls = take_listen(r, &web->listen_tls, "web.listen_tls");
	web->proxies = take_networks(r, &web->proxy_from);
	web->balancers = take_networks(r, &web->forwarded_from);
	mail->plain = take_listen(r, &mail->listen, "mail.listen");
	mail->tls = take_listen(r, &mail->listen_tls, "mail.listen_tls");
	mail->proxies = take_networks(r, &mail->proxy_from);
	take_hostname(r, mail);
	names->addrs = take_listen(r, &names->listen, "names.listen");
	names->allowed = take_networks(r, &names->allow);
	take_upstreams(r, names);
}

struct settings *settings_parse(struct span text, const char *file, struct arena *a, struct conf_errors *errors)
{
	struct reading r = { .s = mem_new(struct settings), .a = a, .errors = errors };
	struct settings *s = r.s;
	struct conf_errors found;

	atomic_init(&s->references, 1);
	arena_init(&s->arena, 4096);
	s->file = arena_span(&s->arena, span_of(file));
	s->text = arena_span(&s->arena, text);
	conf_parse(text, file, settings_keys, s, &s->arena, &found);
	/* The faults outlive s: their memory is the caller's. */
	*errors = (struct conf_errors){ .n = found.n };
	if (found.n > 0) {
		errors->v = arena_array(a, struct fault, CONF_ERRORS_MAX);
		memcpy(errors->v, found.v, found.n * sizeof(*found.v));
	}
	take_meanings(&r);
	return errors->n ? settings_unref(s) : s;
}

/* The whole file into text. 0, or a negative errno. */
static int read_file(const char *path, struct buf *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	ssize_t n = 1;
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	while (r == 0 && n > 0) {
		char piece[8192];

		n = read(fd, piece, sizeof(piece));
		if (n < 0)
			r = -errno;
		else
			buf_add(text, piece, (size_t)n);
		if (buf_error(text) < 0)
			r = -EFBIG;
	}
	close(fd);
	return r;
}

struct settings *settings_load(const char *path, struct arena *a, struct conf_errors *errors)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(SETTINGS_BYTES_MAX);
	int r = read_file(path, &text);

	if (r == 0)
		return settings_parse(buf_span(&text), path, a, errors);
	*errors = (struct conf_errors){ .v = arena_new(a, struct fault), .n = 1 };
	fault_set(errors->v, FAULT_SETTINGS_UNREADABLE);
	fault_fact(errors->v, "path", "%s", path);
	fault_fact(errors->v, "error", "%s", strerror(-r));
	return NULL;
}

struct settings *settings_ref(struct settings *s)
{
	atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
	return s;
}

struct settings *settings_unref(struct settings *s)
{
	if (s && atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) == 1) {
		arena_done(&s->arena);
		mem_free(s);
	}
	return NULL;
}

enum log_level settings_log_level(const struct settings *s)
{
	/* In the order of log_levels. */
	static const enum log_level levels[] = { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

	return levels[s->log.level];
}

/* ---- comparing, handing over ---- */

struct difference {
	enum settings_change change;
	struct buf *keys;
};

static void note_difference(void *arg, const char *path, const struct conf_key *key)
{
	struct difference *d = arg;

	if (d->keys)
		buf_addf(d->keys, "%s%s", d->change == SETTINGS_SAME ? "" : ", ", path);
	if (key->flags & NEW_WORKER)
		d->change = SETTINGS_NEW_WORKER;
	else if (d->change == SETTINGS_SAME)
		d->change = SETTINGS_IN_PLACE;
}

enum settings_change settings_compare(const struct settings *old, const struct settings *now, struct buf *ret_keys)
{
	struct difference d = { SETTINGS_SAME, ret_keys };

	conf_compare(settings_keys, old, now, note_difference, &d);
	return d.change;
}

void settings_for_web(const struct settings *s, struct web_settings *ret)
{
	*ret = (struct web_settings){
		.limits = s->web.limits,
		.tls_timeout_ms = s->web.tls_timeout_ms,
		.connections_max = (unsigned)s->web.connections_max,
		.redirect_to_tls = s->web.redirect_to_tls,
		.proxy_from = s->web.proxies,
		.proxy_from_n = s->web.proxy_from.n,
		.forwarded_from = s->web.balancers,
		.forwarded_from_n = s->web.forwarded_from.n,
		.forwarded_by = (enum web_forwarded_by)s->web.forwarded_by,
		.public_tls_port = (unsigned)s->web.public_tls_port,
		.health_path = s->web.health_path.p,
		.answer_fields_max = (unsigned)s->web.answer_fields_max,
		.access = (enum access_format)s->log.access,
		.access_to = s->log.access_to.p,
		.cache_memory = s->web.cache_memory,
		.cache_share = (unsigned)s->web.cache_share,
	};
}

void settings_for_mail(const struct settings *s, struct mail_settings *ret)
{
	*ret = (struct mail_settings){
		.hostname = s->mail.hostname.p,
		.message_size_max = s->mail.message_size_max,
		.tls_grace_ms = s->mail.tls_grace_ms,
		.tls_timeout_ms = s->mail.tls_timeout_ms,
		.command_timeout_ms = s->mail.command_timeout_ms,
		.data_timeout_ms = s->mail.data_timeout_ms,
		.connect_timeout_ms = s->mail.connect_timeout_ms,
		.backend_timeout_ms = s->mail.backend_timeout_ms,
		.final_timeout_ms = s->mail.final_timeout_ms,
		.tarpit_ms = s->mail.tarpit_ms,
		.connections_max = (unsigned)s->mail.connections_max,
		.connections_per_network = (unsigned)s->mail.connections_per_network,
		.commands_max = (unsigned)s->mail.commands_max,
		.errors_max = (unsigned)s->mail.errors_max,
		.recipients_max = (unsigned)s->mail.recipients_max,
		.proxy_from = s->mail.proxies,
		.proxy_from_n = s->mail.proxy_from.n,
	};
}

void settings_for_names(const struct settings *s, struct names_settings *ret)
{
	*ret = (struct names_settings){
		.forward = s->names.upstreams,
		.forward_n = s->names.forward.n,
		.allow = s->names.allowed,
		.allow_n = s->names.allow.n,
		.forward_private = s->names.forward_private,
	};
}
