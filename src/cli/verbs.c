/*
 * The table of verbs. From it come dispatch, --help, the completion of bash and the man page.
 *
 * The verbs of `torhaus domain` are a table of their own (their options come from the table of
 * domain keys); both are joined at the first use.
 */
#include <string.h>
#include "base/mem.h"
#include "cli/cli_priv.h"
#include "cli/domain.h"

const struct cli_option cli_global_options[] = {
	{ "--config", "FILE", false, "The settings; else $TORHAUS_CONFIG, else /etc/torhaus/torhaus.conf." },
	{ "--json", NULL, false, "Print a document for programs." },
	{ "--lang", "en|de", false, "The language of explanations; else that of $LANG." },
	{ "--color", "auto|always|never", false, "Colors; auto: on a terminal, unless NO_COLOR is set." },
	{ "--help", NULL, false, "Explain a verb, or list all." },
	{ "--version", NULL, false, "Print the version." },
	{ NULL },
};

static const struct cli_option init_options[] = {
	{ "--dir", "DIR", false, "Where everything goes; else /etc/torhaus, with the store in /var/lib/torhaus." },
	{ "--domain", "NAME=ORIGIN", true, "A first domain, such as example.de=http://10.0.0.5:8080." },
	{ NULL },
};
static const struct cli_option serve_options[] = {
	{ "--try", NULL, false, "Only see whether it could start; a hand-over asks its new program so." },
	{ NULL },
};
static const struct cli_option reload_options[] = {
	{ "--binary", NULL, false, "Hand over to the program that is installed now, without losing a connection." },
	{ NULL },
};
static const struct cli_option purge_options[] = {
	{ "--url", "URL", false, "One page in all its variants; //HOST/PATH means http and https." },
	{ "--prefix", "URL", false, "Everything below." },
	{ "--tag", "TAG", false, "Everything that the origin marked so (Cache-Tag, Surrogate-Key)." },
	{ "--domain", "NAME", false, "Everything of a domain." },
	{ "--all", NULL, false, "Everything." },
	{ "--hard", NULL, false, "Remove it; else it becomes stale, and is used only if the origin fails." },
	{ NULL },
};
static const struct cli_option stat_options[] = {
	{ "--domain", "NAME", false, "Of one domain." },
	{ NULL },
};
static const struct cli_option query_options[] = {
	{ "--server", "ADDRESS[:PORT]", false, "Ask that server; else the running one." },
	{ "--tcp", NULL, false, "Ask by TCP." },
	{ NULL },
};

static const struct cli_option tls_explain_options[] = {
	{ "--suites", "LIST", false, "The client's suites: a file or the names themselves (OpenSSL's or IANA's)." },
	{ "--hello", "FILE", false, "The client's ClientHello: bytes, hexadecimal, or a capture by tcpdump." },
	{ "--with", "FILE", true, "A certificate of the server, with its key or without." },
	{ "--server-suites", "LIST", false, "The suites that the server allows; else those of torhaus." },
	{ "--for", "mail|web", false, "What torhaus would use the certificates for; else mail." },
	{ "--name", "NAME", false, "The name that a client with --suites asks for." },
	{ NULL },
};
static const struct cli_option scan_options[] = {
	{ "--file", "FILE", true, "Hosts, one a line; - is standard input." },
	{ "--mx", "DOMAIN", true, "The MX names of a domain, and its MTA-STS policy." },
	{ "--starttls", "smtp|none", false, "smtp (port 25): STARTTLS; none (443): TLS at once." },
	{ "--port", "N", false, "The port of hosts that name none." },
	{ "--quick", NULL, false,
		"Versions, certificates and what is weak, but not all suites: at most 6 connections to a server." },
	{ "--except", "FILE", true,
		"Names (and what lies below them), addresses and networks that are not asked, one a line; scan-except beside the settings is always obeyed." },
	{ "--fresh", NULL, false, "Ask again who of --file and --mx was asked within the last 24 hours." },
	{ "--max-age", "DURATION", false,
		"How old results of --file and --mx may be, up to 24h, also in private networks; else 24h, there 0." },
	{ "--compare", "FILE", false, "What changed since an earlier scan, whose --json lines the file holds." },
	{ "--csv", NULL, false, "Print comma-separated values." },
	{ "--jobs", "N", false, "Servers at a time; else 400, never two connections to one address." },
	{ "--rate", "N", false, "New connections a second in all; else 100 (300 with --quick)." },
	{ "--gap", "DURATION", false,
		"Between two connections to one address; else 2s (1s with --quick), none in private networks." },
	{ "--timeout", "DURATION", false, "How long to wait for each answer; else 30s." },
	{ "--helo", "NAME", false, "The name to say in EHLO; else that of this machine." },
	{ "--ca", "FILE", false, "Certificates of CAs to trust besides those of the system." },
	{ "--resolver", "ADDRESS[:PORT]", false, "Ask this resolver for all names; else the system's." },
	{ "--anchor", "FILE", false, "DNSSEC trust anchors (DS or DNSKEY records); else that of the root." },
	{ NULL },
};

static const struct cli_option tls_log_options[] = {
	{ "--since", "DATE|TIME", false, "Leave out what is older: 2024-01-05, or 30d." },
	{ NULL },
};

static const struct cli_option peers_options[] = {
	{ "--failed", NULL, false, "Those whose TLS handshakes failed, with cause, remedy and what they offer." },
	{ NULL },
};

static const struct cli_option report_options[] = {
	{ "--domain", "NAME", false, "The domain." },
	{ "--month", "YYYY-MM", false, "That month; without it and --from the present one." },
	{ "--from", "YYYY-MM-DD", false, "The first day (UTC) of another period." },
	{ "--to", "YYYY-MM-DD", false, "Its last day." },
	{ "--html", "FILE", false, "Write a page for the browser and the printer; - is standard output." },
	{ NULL },
};

static const struct cli_option cert_check_options[] = {
	{ "--file", "FILE", true, "A certificate of that server on disk; its key is not needed." },
	{ "--starttls", "smtp|none", false, "How TLS begins; else smtp on ports 25 and 587." },
	{ "--name", "NAME", false, "The name to ask for (SNI); else the host's." },
	{ NULL },
};
static const struct cli_option predict_options[] = {
	{ "--with", "FILE", true, "A certificate that comes, with its key or without." },
	{ "--without", "FILE", true, "A certificate that goes; with --log or --scan, one that is in service." },
	{ "--log", "FILE", true, "Ask the peers of a mail log instead of the kept ones: an approximation." },
	{ "--scan", "FILE", true,
		"Ask what tls scan --json found instead, as if the servers were clients: an approximation." },
	{ "--since", "DATE|TIME", false, "Of the log, leave out what is older: 2024-01-05, or 30d." },
	{ NULL },
};

static const struct cli_verb first[] = {
	{ "init", "[--dir DIR] [--domain NAME=ORIGIN]…",
		"Write a commented torhaus.conf, an empty store and self-signed certificates.", init_options,
		cli_init },
	{ "serve", "", "Run in the foreground.", serve_options, cli_serve },
	{ "check", "", "Look for faults in settings, store, certificates, listeners and origins (also: -t).", NULL,
		cli_check },
	{ "reload", "[--binary]", "Let the running server read its settings again.", reload_options, cli_reload },
	{ "stop", "", "End the running server once open requests are answered.", NULL, cli_stop },
	{ "status", "", "Show what the running server does.", NULL, cli_show_status },
	{ "doctor", "", "List everything that is wrong now.", NULL, cli_doctor },
};
static const struct cli_verb last[] = {
	{ "cert list", "", "Show the certificates in service.", NULL, cli_cert_list },
	{ "cert check", "[HOST:PORT --file FILE…]",
		"Verify the certificate folders, and that what is on disk is what is served; or that another server serves the newest of these files.",
		cert_check_options, cli_cert_check },
	{ "cert predict", "--with FILE… [--without FILE…] [--log FILE… | --scan FILE…]",
		"Tell who would no longer get through if these certificates came and those went.", predict_options,
		cli_cert_predict },
	{ "tls explain", "(--suites LIST | --hello FILE) --with FILE…",
		"Tell whether a client would reach a server with these certificates, and why not.", tls_explain_options,
		cli_tls_explain },
	{ "tls log", "FILE… [--since DATE|TIME]",
		"Tell from mail logs (Exim, Postfix, torhaus; also compressed) who fails at TLS, since when, why and what followed, and who speaks what.",
		tls_log_options, cli_tls_log },
	{ "cache purge", "(--url URL | --prefix URL | --tag TAG | --domain NAME | --all) [--hard]",
		"Let stored answers no longer count as fresh.", purge_options, cli_cache_purge },
	{ "cache stat", "[--domain NAME]", "Show what the cache holds.", stat_options, cli_cache_stat },
	{ "dns check", "", "Look for faults in the DNS edge: its listeners, its upstreams, the names it answers.", NULL,
		cli_dns_check },
	{ "dns query", "NAME [TYPE] [--server ADDRESS[:PORT]] [--tcp]",
		"Ask the running server for a name, and show its answer.", query_options, cli_dns_query },
	{ "tls scan", "HOST[:PORT]… [--file FILE] [--mx DOMAIN] [--starttls smtp|none] [--quick] [--csv]",
		"See what TLS these servers speak and which certificates they serve.", scan_options, cli_tls_scan },
	{ "mail peers", "[--failed]", "Show which mail servers came, with what TLS, and what came of it.",
		peers_options, cli_mail_peers },
	{ "mail report", "--domain NAME [--month YYYY-MM | --from DAY --to DAY] [--html FILE]",
		"Show how a domain's mail came encrypted: evidence under Art. 32 GDPR.", report_options,
		cli_mail_report },
	{ "explain", "[CODE]", "Explain a code that a log line or page shows; without one, list all.", NULL,
		cli_explain },
	{ "completion", "bash", "Print the completion for bash.", NULL, cli_completion },
	{ "man", "", NULL, NULL, cli_man },
};

const struct cli_verb *cli_verbs(void)
{
	static struct cli_verb all[VERBS_MAX];
	unsigned n = 0;

	if (all[0].name)
		return all;
	for (size_t i = 0; i < array_len(first); i++)
		all[n++] = first[i];
	for (const struct cli_verb *v = cli_domain_verbs(); v->name; v++) {
		must(n + array_len(last) + 1 < VERBS_MAX);
		all[n++] = *v;
	}
	for (size_t i = 0; i < array_len(last); i++)
		all[n++] = last[i];
	return all;
}

unsigned cli_verb_words(const struct cli_verb *verb)
{
	return strchr(verb->name, ' ') ? 2 : 1;
}
