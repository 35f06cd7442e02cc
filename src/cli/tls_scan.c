/*
 * torhaus tls scan: what TLS do these servers speak.
 *
 * Here are the options and the run; what is printed stands in cli/tls_scan_print.c. Lines of JSON
 * and CSV are written as each server is done; the table needs them all. Progress goes to stderr
 * while that is a terminal. SIGINT and SIGTERM end the run early; what is there is printed and
 * kept.
 */
#include "cli/tls_scan.h"
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "dns/dns.h"
#include "smtp/smtp.h"

#define TIMEOUT_MS     30000
#define TIMEOUT_MIN_MS 100
#define ANCHOR_MAX     (1 << 20)
#define CONNECT_MS     10000
#define PROGRESS_MS    1000
#define PORT_SMTP      25
#define PORT_TLS       443
#define JOBS_MAX       2000
#define RATE_MAX       10000

static struct scan *running; /* for the signal handler */

/* ---- options ---- */

/* The name that mail servers expect in EHLO: this machine's, with its domain. */
static const char *own_name(void)
{
	static char name[256] = "localhost.localdomain";
	struct addrinfo hints = { .ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM }, *found = NULL;
	char host[256] = "";

	if (gethostname(host, sizeof(host) - 1) == 0 && host[0] && getaddrinfo(host, NULL, &hints, &found) == 0 &&
		found->ai_canonname && strlen(found->ai_canonname) < sizeof(name))
		memcpy(name, found->ai_canonname, strlen(found->ai_canonname) + 1);
	else if (host[0])
		memcpy(name, host, sizeof(name));
	if (found)
		freeaddrinfo(found);
	return name;
}

static int number(struct cli *cli, const struct cli_args *args, const char *option, unsigned max, unsigned *ret)
{
	const char *value = cli_arg(args, option);
	uint64_t n;

	if (!value)
		return CLI_DONE;
	if (span_to_u64(span_of(value), &n) < 0 || n == 0 || n > max)
		return cli_usage(cli, "%s is a number from 1 to %u, not \"%s\"",
			"%s ist eine Zahl von 1 bis %u, nicht \"%s\"", option, max, value);
	*ret = (unsigned)n;
	return CLI_DONE;
}

static int duration(struct cli *cli, const struct cli_args *args, const char *option, uint64_t *ret_ms)
{
	const char *value = cli_arg(args, option);

	if (value && fmt_parse_duration_ms(span_of(value), ret_ms) < 0)
		return cli_usage(cli, "%s is a duration such as 30s, not \"%s\"",
			"%s ist eine Dauer, etwa 30s, nicht \"%s\"", option, value);
	return CLI_DONE;
}

static int read_settings(struct cli *cli, const struct cli_args *args, struct scan *s)
{
	const char *starttls = cli_arg(args, "--starttls"), *helo = cli_arg(args, "--helo");
	uint64_t timeout_ms = TIMEOUT_MS;
	unsigned port;
	int status;

	if (!starttls)
		starttls = "smtp";
	if (strcmp(starttls, "smtp") != 0 && strcmp(starttls, "none") != 0)
		return cli_usage(cli, "--starttls is smtp or none, not \"%s\"",
			"--starttls ist smtp oder none, nicht \"%s\"", starttls);
	if (helo && !(smtp_is_helo(span_of(helo)) && (helo[0] == '[' || cli_is_name(helo))))
		return cli_usage(cli, "--helo is the name of this machine, such as mail.example.net, not \"%s\"",
			"--helo ist der Name dieser Maschine, etwa mail.example.net, nicht \"%s\"", helo);
	if (cli->json && cli_arg(args, "--csv"))
		return cli_usage(cli, "--json or --csv, not both", "--json oder --csv, nicht beides");
	status = number(cli, args, "--jobs", JOBS_MAX, &s->jobs);
	if (status == CLI_DONE)
		status = number(cli, args, "--rate", RATE_MAX, &s->rate);
	if (status == CLI_DONE)
		status = duration(cli, args, "--timeout", &timeout_ms);
	if (status == CLI_DONE)
		status = duration(cli, args, "--gap", &s->probe.gap_ms);
	if (status == CLI_DONE && timeout_ms < TIMEOUT_MIN_MS)
		return cli_usage(cli, "--timeout is at least 100ms: nobody answers sooner",
			"--timeout ist mindestens 100ms: schneller antwortet niemand");
	port = strcmp(starttls, "smtp") == 0 ? PORT_SMTP : PORT_TLS;
	if (status == CLI_DONE)
		status = number(cli, args, "--port", 65535, &port);
	s->port = (uint16_t)port;
	s->gap_auto = !cli_arg(args, "--gap");
	s->probe.smtp = strcmp(starttls, "smtp") == 0;
	s->probe.quick = cli_arg(args, "--quick") != NULL;
	s->probe.helo = helo ? helo : own_name();
	s->probe.connect_ms = timeout_ms < CONNECT_MS ? timeout_ms : CONNECT_MS;
	s->probe.answer_ms = s->probe.greeting_ms = timeout_ms;
	return status;
}

/* ---- hosts ---- */

#define HOST_FORMS "mx.example.net, mx.example.net:465, 192.0.2.1"
#define NO_HOST    "no host such as " HOST_FORMS " or [2001:db8::1]:25"
#define KEIN_HOST  "kein Host wie " HOST_FORMS " oder [2001:db8::1]:25"

/* What people try. */
static const char *hint(const struct cli *cli, const char *host)
{
	if (strchr(host, '@'))
		return cli_say(cli, "; --mx DOMAIN asks the servers of a mail domain",
			"; --mx DOMAIN fragt die Server einer Mail-Domain");
	if (strstr(host, "://"))
		return cli_say(cli, "; of a URL take the host alone, with --starttls none for HTTPS",
			"; von einer URL nur den Host nehmen, mit --starttls none bei HTTPS");
	for (const char *at = host; *at; at++)
		if (*at & 0x80)
			return cli_say(cli, "; write its letters in ASCII (xn--…)",
				"; seine Buchstaben in ASCII schreiben (xn--…)");
	return "";
}

static int add_named(struct tls_scan *t, const char *host)
{
	int r = scan_add(&t->scan, span_of(host), true);

	if (r == -E2BIG)
		return cli_usage(t->cli, "at most %u hosts", "höchstens %u Hosts", SCAN_HOSTS_MAX);
	if (r == 0)
		return CLI_DONE;
	return cli_usage(t->cli, "\"%s\" is " NO_HOST "%s", "\"%s\" ist " KEIN_HOST "%s", host, hint(t->cli, host));
}

static int add_listed(struct tls_scan *t, const char *path, unsigned line, struct span host)
{
	char shown[128];
	int r = scan_add(&t->scan, host, false);

	if (r == -E2BIG)
		return cli_usage(t->cli, "%s:%u: at most %u hosts", "%s:%u: höchstens %u Hosts", path, line,
			SCAN_HOSTS_MAX);
	if (r == 0)
		return CLI_DONE;
	return cli_usage(t->cli, "%s:%u: \"%.*s\" is " NO_HOST, "%s:%u: \"%.*s\" ist " KEIN_HOST, path, line,
		(int)fmt_safe(host, "", shown, sizeof(shown)), shown);
}

/* libunbound looks at it with the first question only, and then fails all of them. */
static int check_anchor(struct cli *cli, const char *path)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(ANCHOR_MAX);
	int r = cli_file_read(path, &text);

	if (r < 0)
		return cli_usage(cli, "--anchor %s: %s", "--anchor %s: %s", path, strerror(-r));
	if (span_index(buf_span(&text), '\0') >= 0 ||
		(span_find(buf_span(&text), SPAN("DS")) < 0 && span_find(buf_span(&text), SPAN("DNSKEY")) < 0))
		return cli_usage(cli, "--anchor %s holds no DS or DNSKEY record such as those of dns-root-data",
			"--anchor %s enthält keinen DS- oder DNSKEY-Eintrag wie die von dns-root-data", path);
	return CLI_DONE;
}

/* Names are asked of a validating resolver as soon as DNSSEC matters: for domains, or where one is
 * named. */
static int open_dns(struct cli *cli, const struct cli_args *args, struct scan *s)
{
	const char *resolver = cli_arg(args, "--resolver"), *why = "";
	_cleanup_(mem_freep) char *text = NULL;
	char host[NET_ADDR_SIZE];
	struct net_addr addr;

	if (resolver &&
		(net_addr_parse(span_of(resolver), DNS_PORT, &addr) < 0 || addr.sa.sa_family == AF_UNIX ||
			net_addr_port(&addr) == 0))
		return cli_usage(cli, "--resolver is an address such as 192.0.2.53 or 127.0.0.1:5353, not \"%s\"",
			"--resolver ist eine Adresse, etwa 192.0.2.53 oder 127.0.0.1:5353, nicht \"%s\"", resolver);
	if (resolver) {
		net_addr_host_text(&addr, host);
		text = mem_textf("%s@%u", host, net_addr_port(&addr));
	}
	if (cli_arg(args, "--anchor") && check_anchor(cli, cli_arg(args, "--anchor")) != CLI_DONE)
		return CLI_USAGE;
	s->dns = scan_dns_new(text, cli_arg(args, "--anchor"), &why);
	s->dns_all = resolver != NULL;
	/* Addresses can be asked without one; only DANE and domains cannot. */
	if (s->dns || (!resolver && !cli_arg(args, "--anchor") && !cli_arg(args, "--mx")))
		return CLI_DONE;
	return cli_usage(cli, "no resolver: %s", "kein Resolver: %s", why);
}

static int add_domain(struct cli *cli, struct scan *s, const char *domain)
{
	return scan_add_domain(s, span_of(domain)) < 0
		? cli_usage(cli, "\"%s\" is no mail domain such as example.net%s",
			  "\"%s\" ist keine Mail-Domain wie example.net%s", domain,
			  !strchr(domain, '@') ? ""
					       : cli_say(cli, "; take what stands behind the @",
							 "; zu nehmen ist, was hinter dem @ steht"))
		: CLI_DONE;
}

static int add_hosts(struct tls_scan *t, const struct cli_args *args)
{
	int status = CLI_DONE;

	for (unsigned i = 0; i < args->rest_n && status == CLI_DONE; i++)
		status = add_named(t, args->rest[i]);
	for (unsigned i = 0; i < args->n && status == CLI_DONE; i++)
		if (strcmp(args->v[i].option->name, "--file") == 0)
			status = tls_scan_entries(t, args->v[i].value, add_listed);
		else if (strcmp(args->v[i].option->name, "--mx") == 0)
			status = add_domain(t->cli, &t->scan, args->v[i].value);
	if (status == CLI_DONE && t->scan.hosts_n + t->scan.domains_n == 0)
		return cli_usage(t->cli, "which hosts?", "welche Hosts?");
	return status;
}

/* ---- the run ---- */

static void on_signal(int number)
{
	(void)number;
	scan_stop(running);
}

static void progress(struct tls_scan *t, const struct scan *s)
{
	uint64_t now = clock_mono_ms(), took = now - t->began_ms;

	if (!t->progress || took < PROGRESS_MS || now - t->told_ms < 100)
		return;
	t->told_ms = now;
	fprintf(t->cli->err,
		cli_say(t->cli, "\r%u of %u servers, about %u s to go \033[K",
			"\r%u von %u Servern, noch etwa %u s \033[K"),
		s->done_n, s->hosts_n, (unsigned)(took * (s->hosts_n - s->done_n) / s->done_n / 1000));
	fflush(t->cli->err);
}

static void on_done(void *arg, struct scan *s, const struct scan_host *h)
{
	struct tls_scan *t = arg;

	tls_scan_line(t, h);
	if (t->csv)
		tls_scan_csv(t, h);
	/* Who read the lines has gone. */
	if (fflush(t->cli->out) != 0)
		scan_stop(s);
	progress(t, s);
}

/* A connection is a descriptor, and so is each look-up. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int scan(struct tls_scan *t)
{
	struct sigaction on = { .sa_handler = on_signal }, before[2];
	int r;

	raise_descriptors();
	running = &t->scan;
	sigaction(SIGINT, &on, &before[0]);
	sigaction(SIGTERM, &on, &before[1]);
	signal(SIGPIPE, SIG_IGN);
	if (t->csv)
		tls_scan_csv_head(t);
	r = scan_run(&t->scan);
	sigaction(SIGINT, &before[0], NULL);
	sigaction(SIGTERM, &before[1], NULL);
	if (t->told_ms)
		fprintf(t->cli->err, "\r\033[K");
	if (r < 0 && r != -ECANCELED) {
		fprintf(t->cli->err, "torhaus tls scan: %s\n", strerror(-r));
		return CLI_UNREACHABLE;
	}
	return tls_scan_end(t);
}

static int refuse_ca(struct cli *cli, const char *path)
{
	if (access(path, R_OK) < 0)
		return cli_usage(cli, "--ca %s: %s", "--ca %s: %s", path, strerror(errno));
	return cli_usage(cli, "--ca %s holds no certificates in PEM form",
		"--ca %s enthält keine Zertifikate in PEM-Form", path);
}

int cli_tls_scan(struct cli *cli, int argc, char **argv)
{
	struct tls_scan t = { .cli = cli, .began_ms = clock_mono_ms(), .now_s = clock_wall_s() };
	struct cli_args args;
	int status = cli_args_parse(cli, argc, argv, ARGS_MAX, &args);

	if (status != CLI_DONE)
		return status;
	scan_init(&t.scan);
	fleet_init(&t.now);
	fleet_init(&t.earlier);
	scan_except_init(&t.except);
	t.scan.on_done = on_done;
	t.scan.arg = &t;
	t.csv = cli_arg(&args, "--csv") != NULL;
	t.progress = isatty(STDERR_FILENO);
	status = read_settings(cli, &args, &t.scan);
	if (status == CLI_DONE && cli_arg(&args, "--compare"))
		status = tls_scan_read(cli, cli_arg(&args, "--compare"), &t.earlier);
	t.compare = t.earlier.n > 0;
	if (status == CLI_DONE)
		status = open_dns(cli, &args, &t.scan);
	if (status == CLI_DONE)
		status = add_hosts(&t, &args);
	if (status == CLI_DONE)
		status = tls_scan_read_excepted(&t, &args);
	if (status == CLI_DONE) {
		t.scan.probe.store = probe_store_new(cli_arg(&args, "--ca"));
		if (!t.scan.probe.store)
			status = refuse_ca(cli, cli_arg(&args, "--ca"));
	}
	if (status == CLI_DONE)
		status = tls_scan_open_cache(&t, &args);
	if (status == CLI_DONE) {
		status = scan(&t);
		tls_scan_close_cache(&t);
	}
	probe_store_free(t.scan.probe.store);
	scan_done(&t.scan);
	fleet_done(&t.now);
	fleet_done(&t.earlier);
	scan_except_done(&t.except);
	return status;
}
