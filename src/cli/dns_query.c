/*
 * torhaus dns query NAME [TYPE]
 *
 * One question to the running server (or to any other), and its answer with everything that it
 * says. The document is made first; the page for people is printed from it.
 *
 * Where an answer of torhaus comes from can be seen from outside: only what is answered from the
 * map has AA, and only what is stale says so (RFC 8914).
 */
#include <string.h>
#include "base/fmt.h"
#include "base/mem.h"
#include "cli/dns.h"

#define TEXT_MAX ((size_t)1 << 20) /* of a record's data */

struct query {
	struct cli *cli;
	struct net_addr server;
	bool tcp, ours;
	struct dns_question q;
	struct dns_heard heard;
};

/* ---- the document ---- */

static json_t *name_json(const struct dns_name *name)
{
	char text[DNS_NAME_TEXT_SIZE + 1];
	size_t n = dns_name_text(name, text);

	if (name->n > 1)
		text[n++] = '.';
	return json_stringn(text, n);
}

static json_t *class_json(uint16_t klass)
{
	return klass == DNS_CLASS_IN ? json_string("IN") : json_sprintf("CLASS%u", klass);
}

static json_t *record_json(struct span message, const struct dns_record *r)
{
	struct buf data = BUF_INIT(TEXT_MAX);
	json_t *json;

	dns_record_text(message, r, &data);
	json = json_pack("{s:o s:I s:o s:s s:s%}", "name", name_json(&r->name), "ttl", (json_int_t)r->ttl, "class",
		class_json(r->klass), "type", dns_type_text(r->type), "data", data.p, data.n);
	buf_done(&data);
	return json;
}

/* Of option 15: a number and maybe words (RFC 8914 2). */
static json_t *extended_json(struct span option)
{
	int code = dns_get_u16((const uint8_t *)option.p);
	struct span said = span_from(option, 2);
	char words[1024];
	size_t n = fmt_safe(said, "", words, sizeof(words));

	return json_pack("{s:i s:s s:s%}", "code", code, "name", dns_ede_text(code), "text", words, n);
}

/* Its extended errors, and what it adds to the response code. */
static unsigned take_opt(struct span message, const struct dns_record *opt, json_t *extended)
{
	struct dns_reader r;

	dns_reader_init(&r, span_sub(message, 0, opt->rdata_at + opt->rdata_n));
	r.at = opt->rdata_at;
	while (!r.error && r.at < r.n) {
		uint16_t code = dns_read_u16(&r);
		struct span option = dns_read_bytes(&r, dns_read_u16(&r));

		if (code == DNS_OPTION_EDE && option.n >= 2)
			json_array_append_new(extended, extended_json(option));
	}
	return (unsigned)message.p[opt->rdata_at - 6] & 0xff;
}

/* n records; an OPT record is no record. */
static json_t *section_json(struct dns_reader *r, struct span message, unsigned n, json_t *extended, unsigned *rcode)
{
	json_t *section = json_array();

	for (unsigned i = 0; i < n; i++) {
		struct dns_record record;

		dns_read_record(r, &record);
		if (r->error)
			break;
		if (record.type == DNS_TYPE_OPT)
			*rcode |= take_opt(message, &record, extended) << 4;
		else
			json_array_append_new(section, record_json(message, &record));
	}
	return section;
}

static json_t *flags_json(uint16_t flags)
{
	static const struct {
		uint16_t flag;
		const char *name;
	} names[] = { { DNS_QR, "qr" }, { DNS_AA, "aa" }, { DNS_TC, "tc" }, { DNS_RD, "rd" }, { DNS_RA, "ra" },
		{ DNS_AD, "ad" }, { DNS_CD, "cd" } };
	json_t *json = json_array();

	for (size_t i = 0; i < array_len(names); i++)
		if (flags & names[i].flag)
			json_array_append_new(json, json_string(names[i].name));
	return json;
}

static bool is_stale(json_t *extended)
{
	json_t *error;
	size_t i;

	json_array_foreach(extended, i, error)
	{
		json_int_t code = json_integer_value(json_object_get(error, "code"));

		if (code == DNS_EDE_STALE || code == DNS_EDE_STALE_NXDOMAIN)
			return true;
	}
	return false;
}

static const char *source_of(const struct query *q, unsigned rcode, json_t *extended)
{
	if (!q->ours || (rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN))
		return NULL;
	return q->heard.header.flags & DNS_AA ? "map" : is_stale(extended) ? "stale" : "forwarded";
}

static json_t *answer_json(const struct query *q)
{
	struct span message = buf_span(&q->heard.message);
	const struct dns_header *h = &q->heard.header;
	json_t *json = json_object(), *extended = json_array(), *answers, *authorities, *additionals;
	unsigned rcode = h->flags & DNS_RCODE;
	struct dns_question repeated;
	char server[NET_ADDR_SIZE];
	struct dns_reader r;

	net_addr_text(&q->server, server);
	dns_reader_init(&r, message);
	r.at = DNS_HEADER_SIZE;
	for (unsigned i = 0; i < h->questions; i++)
		dns_read_question(&r, &repeated);
	answers = section_json(&r, message, h->answers, extended, &rcode);
	authorities = section_json(&r, message, h->authorities, extended, &rcode);
	additionals = section_json(&r, message, h->additionals, extended, &rcode);
	json_object_set_new(json, "schema", json_string("torhaus.dns-query/1"));
	json_object_set_new(json, "server", json_string(server));
	json_object_set_new(json, "transport", json_string(q->heard.tcp ? "tcp" : "udp"));
	json_object_set_new(json, "time_ms", json_real((double)q->heard.took_us / 1000));
	json_object_set_new(json, "name", name_json(&q->q.name));
	json_object_set_new(json, "type", json_string(dns_type_text(q->q.type)));
	json_object_set_new(json, "rcode", json_string(dns_rcode_text(rcode)));
	json_object_set_new(json, "flags", flags_json(h->flags));
	json_object_set_new(json, "source", json_pack("s?", source_of(q, rcode, extended)));
	json_object_set_new(json, "extended_errors", extended);
	json_object_set_new(json, "answers", answers);
	json_object_set_new(json, "authorities", authorities);
	json_object_set_new(json, "additionals", additionals);
	json_object_set_new(json, "malformed", json_boolean(r.error || r.at != r.n));
	return json;
}

/* ---- the page ---- */

static const char *text_at(json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static const char *source_text(struct cli *cli, const char *source)
{
	static const struct {
		const char *source, *en, *de;
	} texts[] = { { "map", ", from the map of domains", ", aus der Karte der Domains" },
		{ "forwarded", ", from an upstream or the cache", ", von einem Upstream oder aus dem Cache" },
		{ "stale", ", stale: no upstream answered in time",
			", veraltet: Kein Upstream antwortete rechtzeitig" } };

	for (size_t i = 0; i < array_len(texts); i++)
		if (strcmp(source, texts[i].source) == 0)
			return cli_say(cli, texts[i].en, texts[i].de);
	return "";
}

static int name_width(json_t *answer, const char *const sections[], size_t n)
{
	json_t *record;
	size_t width = 0, i;

	for (size_t k = 0; k < n; k++)
		json_array_foreach(json_object_get(answer, sections[k]), i, record)
		{
			size_t length = strlen(text_at(record, "name"));

			width = length > width ? length : width;
		}
	return (int)width;
}

static void print_section(struct cli *cli, json_t *section, const char *title, int width)
{
	json_t *record;
	size_t i;

	if (json_array_size(section) == 0)
		return;
	fprintf(cli->out, "%s%s%s\n", cli_bold(cli), title, cli_plain(cli));
	json_array_foreach(section, i, record)
	{
		fprintf(cli->out, "  %-*s  %6lld  %-6s  %s\n", width, text_at(record, "name"),
			(long long)json_integer_value(json_object_get(record, "ttl")), text_at(record, "type"),
			text_at(record, "data"));
	}
}

static void print_extended(struct cli *cli, json_t *errors)
{
	json_t *error;
	size_t i;

	json_array_foreach(errors, i, error)
	{
		const char *words = text_at(error, "text");

		fprintf(cli->out, "EDE %lld %s%s%s\n", (long long)json_integer_value(json_object_get(error, "code")),
			text_at(error, "name"), *words ? ": " : "", words);
	}
}

static void print_answer(struct cli *cli, json_t *answer)
{
	static const char *const sections[] = { "answers", "authorities", "additionals" };
	int width = name_width(answer, sections, array_len(sections));
	json_t *flag;
	size_t i;

	fprintf(cli->out, "%s%s %s%s: %s%s\n", cli_bold(cli), text_at(answer, "name"), text_at(answer, "type"),
		cli_plain(cli), text_at(answer, "rcode"), source_text(cli, text_at(answer, "source")));
	fprintf(cli->out, "%s %s, %.1f ms,", text_at(answer, "server"), text_at(answer, "transport"),
		json_real_value(json_object_get(answer, "time_ms")));
	json_array_foreach(json_object_get(answer, "flags"), i, flag)
	{
		fprintf(cli->out, " %s", json_string_value(flag));
	}
	fprintf(cli->out, "\n");
	print_extended(cli, json_object_get(answer, "extended_errors"));
	print_section(cli, json_object_get(answer, "answers"), cli_say(cli, "answer", "Antwort"), width);
	print_section(cli, json_object_get(answer, "authorities"), cli_say(cli, "authority", "Autorität"), width);
	print_section(cli, json_object_get(answer, "additionals"), cli_say(cli, "additional", "Zusatz"), width);
	if (json_is_true(json_object_get(answer, "malformed")))
		fprintf(cli->out, "%s\n",
			cli_say(cli, "The message is malformed; above is what could be read.",
				"Die Nachricht ist fehlerhaft; oben steht, was lesbar war."));
}

/* ---- asking ---- */

/* What was cut for UDP is asked for again. */
static int ask(struct query *q)
{
	int r = dns_ask(&q->server, q->tcp, &q->q, DNS_ASK_MS, &q->heard);

	if (r < 0 || q->heard.tcp || !(q->heard.header.flags & DNS_TC))
		return r;
	dns_heard_done(&q->heard);
	return dns_ask(&q->server, true, &q->q, DNS_ASK_MS, &q->heard);
}

static int tell_silent(struct query *q, int error)
{
	char server[NET_ADDR_SIZE];
	struct fault f;

	net_addr_text(&q->server, server);
	fault_set(&f, FAULT_DNS_NO_ANSWER);
	fault_fact(&f, "server", "%s", server);
	fault_fact(&f, "transport", "%s", q->heard.tcp ? "TCP" : "UDP");
	fault_fact(&f, "error", "%s", strerror(-error));
	cli_fault(q->cli, &f);
	return CLI_UNREACHABLE;
}

static int query(struct query *q)
{
	int r = ask(q);
	json_t *answer;

	if (r < 0) {
		r = tell_silent(q, r);
		dns_heard_done(&q->heard);
		return r;
	}
	answer = answer_json(q);
	r = strcmp(text_at(answer, "rcode"), "NOERROR") == 0 ? CLI_DONE : CLI_FOUND;
	if (q->cli->json)
		cli_print_json(q->cli, json_incref(answer));
	else
		print_answer(q->cli, answer);
	json_decref(answer);
	dns_heard_done(&q->heard);
	return r;
}

/* The first listener of the running server. CLI_DONE, or a status after telling. */
static int find_server(struct cli *cli, struct query *q)
{
	struct settings *s = cli_settings(cli);
	json_t *status;
	unsigned http;
	int error, r = CLI_DONE;

	if (!s)
		return CLI_SETTINGS;
	status = cli_ask(s, "GET", "/status", NULL, &http, &error);
	if (!status)
		r = cli_unreachable(cli, s, error);
	settings_unref(s);
	for (size_t i = 0; status && i < json_array_size(json_object_get(status, "listeners")) && !q->ours; i++)
		q->ours = dns_listener(status, i, q->tcp ? LISTENER_NAMES_TCP : LISTENER_NAMES_UDP, &q->server);
	json_decref(status);
	if (r == CLI_DONE && !q->ours) {
		struct fault f;

		fault_set(&f, FAULT_DNS_OFF);
		cli_fault(cli, &f);
		r = CLI_UNREACHABLE;
	}
	return r;
}

int cli_dns_query(struct cli *cli, int argc, char **argv)
{
	struct query q = { .cli = cli };
	struct cli_args args;
	const char *server;
	uint16_t type = DNS_TYPE_A;
	int r = CLI_DONE;

	if (cli_args_parse(cli, argc, argv, 2, &args) != CLI_DONE)
		return CLI_USAGE;
	if (args.rest_n == 0)
		return cli_usage(cli, "a name is wanted", "ein Name ist nötig");
	if (args.rest_n == 2 && dns_type_parse(span_of(args.rest[1]), &type) < 0)
		return cli_usage(cli, "there is no type %s; TYPE1234 asks by number",
			"es gibt keinen Typ %s; TYPE1234 fragt nach Nummer", args.rest[1]);
	if (dns_question_of(span_of(args.rest[0]), type, &q.q) < 0)
		return cli_usage(cli, "%s is no name", "%s ist kein Name", args.rest[0]);
	server = cli_arg(&args, "--server");
	if (server && (net_addr_parse(span_of(server), DNS_PORT, &q.server) < 0 || q.server.sa.sa_family == AF_UNIX))
		return cli_usage(cli, "--server wants an address such as 192.0.2.1 or [2001:db8::1]:5353",
			"--server will eine Adresse, etwa 192.0.2.1 oder [2001:db8::1]:5353");
	q.tcp = cli_arg(&args, "--tcp") != NULL;
	if (!server)
		r = find_server(cli, &q);
	return r == CLI_DONE ? query(&q) : r;
}
