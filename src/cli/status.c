/* torhaus status: the running server's own words, as a page for people or the document itself. */
#include <string.h>
#include "base/clock.h"
#include "base/fmt.h"
#include "cli/cli_priv.h"

#define NAME_COLUMNS 16

static const char *text_at(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static json_int_t int_at(json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static void row(struct cli *cli, const char *en, const char *de)
{
	const char *name = cli_say(cli, en, de);

	fprintf(cli->out, "%s%-*s%s", cli_bold(cli), fmt_width(name, NAME_COLUMNS), name, cli_plain(cli));
}

/* Which kinds there are, a bit each; DNS has two on each address, of which one is shown. */
static unsigned show_listeners(struct cli *cli, json_t *status)
{
	static const char *const notes[] = { [LISTENER_WEB] = "",
		[LISTENER_WEB_TLS] = " (TLS)",
		[LISTENER_NAMES_UDP] = " (DNS)",
		[LISTENER_NAMES_TCP] = "",
		[LISTENER_MAIL] = " (mail)",
		[LISTENER_MAIL_TLS] = " (mail, TLS)" };
	const char *between = "";
	unsigned kinds = 0;
	json_t *l;
	size_t i;

	row(cli, "listeners", "Adressen");
	json_array_foreach(json_object_get(status, "listeners"), i, l)
	{
		enum listener_kind kind = LISTENER_WEB;

		listener_kind_parse(span_of(text_at(l, "kind")), &kind);
		if (kind == LISTENER_NAMES_TCP)
			continue;
		fprintf(cli->out, "%s%s%s", between, text_at(l, "address"), notes[kind]);
		between = ", ";
		kinds |= 1u << kind;
	}
	fprintf(cli->out, "\n");
	return kinds;
}

static void show_process(struct cli *cli, json_t *status)
{
	json_t *supervisor = json_object_get(status, "supervisor");
	char up[FMT_SIZE], since[32];

	fmt_duration((uint64_t)int_at(status, "worker_uptime") * 1000, up);
	clock_minute(int_at(supervisor, "started_at"), since);
	fprintf(cli->out, "torhaus %s\n", text_at(status, "version"));
	row(cli, "running since", "läuft seit");
	fprintf(cli->out, "%s (supervisor %lld, worker %lld: %s, %lld threads, %lld restarts)\n", since,
		(long long)int_at(status, "supervisor_pid"), (long long)int_at(status, "worker_pid"), up,
		(long long)int_at(status, "threads"), (long long)int_at(status, "worker_restarts"));
}

static void show_domains(struct cli *cli, json_t *status)
{
	char loaded[32];

	clock_minute(int_at(json_object_get(status, "snapshot"), "loaded_at"), loaded);
	row(cli, "domains", "Domains");
	fprintf(cli->out, "%lld, %s %s; store %s\n", (long long)int_at(status, "domains"),
		cli_say(cli, "read", "gelesen"), loaded, text_at(json_object_get(status, "store"), "state"));
	row(cli, "certificates", "Zertifikate");
	fprintf(cli->out, "%zu%s\n", json_array_size(json_object_get(json_object_get(status, "certificates"), "pairs")),
		json_is_true(json_object_get(json_object_get(status, "certificates"), "proved"))
			? cli_say(cli, ", proved by a handshake", ", durch Handshake bewiesen")
			: "");
}

static void show_traffic(struct cli *cli, json_t *status)
{
	json_t *n = json_object_get(status, "counters"), *cache = json_object_get(status, "cache");
	char used[FMT_SIZE], max[FMT_SIZE], sent[FMT_SIZE];

	fmt_size_rough((uint64_t)int_at(cache, "bytes"), used);
	fmt_size_rough((uint64_t)int_at(cache, "bytes_max"), max);
	fmt_size_rough((uint64_t)int_at(n, "bytes_sent"), sent);
	row(cli, "cache", "Cache");
	fprintf(cli->out, "%lld %s, %s / %s\n", (long long)int_at(cache, "objects"), cli_say(cli, "objects", "Objekte"),
		used, max);
	row(cli, "requests", "Anfragen");
	fprintf(cli->out, "%lld (%s %lld, stale %lld, miss %lld, pass %lld), %s\n", (long long)int_at(n, "requests"),
		cli_say(cli, "hit", "Treffer"), (long long)int_at(n, "hits"), (long long)int_at(n, "stale"),
		(long long)int_at(n, "misses"), (long long)int_at(n, "passed"), sent);
	row(cli, "connections", "Verbindungen");
	fprintf(cli->out, "%lld\n", (long long)int_at(status, "connections"));
}

static void show_names(struct cli *cli, json_t *status)
{
	json_t *n = json_object_get(status, "counters"), *names = json_object_get(status, "names"), *upstream;
	json_t *upstreams = json_object_get(names, "upstreams");
	long long up = 0;
	size_t i;

	json_array_foreach(upstreams, i, upstream)
	{
		up += strcmp(text_at(upstream, "state"), "up") == 0;
	}
	row(cli, "DNS", "DNS");
	fprintf(cli->out,
		cli_say(cli,
			"%lld names, %lld questions (own %lld, forwarded %lld, stale %lld, failed %lld), %lld of %zu upstreams up\n",
			"%lld Namen, %lld Fragen (eigene %lld, weitergegeben %lld, veraltet %lld, gescheitert %lld), %lld von %zu Upstreams da\n"),
		(long long)int_at(names, "names"), (long long)int_at(n, "names_queries"),
		(long long)int_at(n, "names_local"), (long long)int_at(n, "names_forwarded"),
		(long long)int_at(n, "names_stale"), (long long)int_at(n, "names_failed"), up,
		json_array_size(upstreams));
}

static void show_mail(struct cli *cli, json_t *status)
{
	json_t *n = json_object_get(status, "counters"), *mail = json_object_get(status, "mail");

	row(cli, "mail", "Mail");
	fprintf(cli->out,
		cli_say(cli,
			"%lld delivered, %lld put off, %lld refused; recipients: %lld put off, %lld refused; %lld sessions now, %lld of %lld encrypted, %lld handshakes failed\n",
			"%lld zugestellt, %lld aufgeschoben, %lld abgewiesen; Empfänger: %lld aufgeschoben, %lld abgewiesen; %lld Sitzungen jetzt, %lld von %lld verschlüsselt, %lld Handshakes gescheitert\n"),
		(long long)int_at(n, "mail_delivered"), (long long)int_at(n, "mail_deferred"),
		(long long)int_at(n, "mail_refused"), (long long)int_at(n, "mail_recipients_deferred"),
		(long long)int_at(n, "mail_recipients_refused"), (long long)int_at(mail, "sessions"),
		(long long)int_at(n, "mail_tls_handshakes"), (long long)int_at(n, "mail_sessions"),
		(long long)int_at(n, "mail_tls_failed"));
}

static void show_faults(struct cli *cli, json_t *status)
{
	json_t *faults = json_object_get(status, "faults"), *fault;
	size_t i;

	if (json_array_size(faults) > 0)
		fprintf(cli->out, "\n");
	json_array_foreach(faults, i, fault)
	{
		cli_fault_json(cli, cli->out, fault);
	}
}

int cli_show_status(struct cli *cli, int argc, char **argv)
{
	struct cli_args args;
	struct settings *s;
	json_t *status;
	unsigned http;
	int error, r;
	unsigned kinds;

	if (cli_args_parse(cli, argc, argv, 0, &args) != CLI_DONE)
		return CLI_USAGE;
	s = cli_settings(cli);
	if (!s)
		return CLI_SETTINGS;
	status = cli_ask(s, "GET", "/status", NULL, &http, &error);
	r = status ? CLI_DONE : cli_unreachable(cli, s, error);
	settings_unref(s);
	if (!status)
		return r;
	if (cli->json) {
		cli_print_json(cli, status);
		return CLI_DONE;
	}
	show_process(cli, status);
	kinds = show_listeners(cli, status);
	show_domains(cli, status);
	show_traffic(cli, status);
	if (kinds & (1u << LISTENER_MAIL | 1u << LISTENER_MAIL_TLS))
		show_mail(cli, status);
	if (kinds & 1u << LISTENER_NAMES_UDP)
		show_names(cli, status);
	show_faults(cli, status);
	json_decref(status);
	return CLI_DONE;
}
