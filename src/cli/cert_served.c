/*
 * torhaus cert check HOST:PORT --file FILE…: does that server, whatever it is, serve the newest
 * certificates on disk?
 *
 * It is asked once for each key type that the files have (probe/served.h), at each of its
 * addresses.
 */
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"
#include "cli/cert.h"
#include "probe/served.h"

#define TIMEOUT_S     30
#define ADDRESSES_MAX 16

struct check {
	struct cli *cli;
	struct findings findings;
	struct served_place place;
	struct span name; /* to ask for */
	const struct served_file *files;
	unsigned files_n;
	char address[NET_ADDR_SIZE];
	json_t *served; /* what each address answered */
	bool reached;
};

static void add_time(struct fault *f, const char *name, int64_t at)
{
	char text[CLOCK_RFC3339_SIZE];

	clock_rfc3339(at, text);
	fault_fact(f, name, "%s", text);
}

static void tell(struct check *c, enum fault_code code, const struct served_file *newest,
	const struct served_leaf *leaf, const char *why)
{
	struct fault f;

	fault_set(&f, code);
	fault_fact(&f, "address", "%s", c->address);
	fault_fact(&f, "type", "%s", tls_key_type_text(newest->type));
	fault_fact(&f, "file", "%s", newest->path);
	add_time(&f, "from", newest->not_before);
	add_time(&f, "since", newest->changed_at);
	if (why)
		fault_fact(&f, "error", "%s", why);
	if (leaf) {
		add_time(&f, "served_from", leaf->not_before);
		add_time(&f, "served_until", leaf->not_after);
		fault_fact(&f, "issuer", "%s", leaf->issuer);
	}
	findings_add(&c->findings, &f);
}

/* Of the same type, a file that holds what is served; NULL: none does. */
static const struct served_file *file_of(const struct check *c, const struct served_leaf *leaf)
{
	for (unsigned i = 0; i < c->files_n; i++)
		if (memcmp(c->files[i].fingerprint, leaf->fingerprint, sizeof(leaf->fingerprint)) == 0)
			return &c->files[i];
	return NULL;
}

static void compare(struct check *c, const struct served_file *newest, const struct served_leaf *leaf)
{
	const struct served_file *file = file_of(c, leaf);
	bool current = memcmp(newest->fingerprint, leaf->fingerprint, sizeof(leaf->fingerprint)) == 0;

	json_array_append_new(c->served,
		json_pack("{s:s s:s s:b s:s? s:I s:I s:s}", "address", c->address, "type",
			tls_key_type_text(newest->type), "current", (int)current, "file", file ? file->path : NULL,
			"not_before", (json_int_t)leaf->not_before, "not_after", (json_int_t)leaf->not_after, "issuer",
			leaf->issuer));
	if (current)
		return;
	tell(c, file || leaf->not_before < newest->not_before ? FAULT_CERT_SERVED_OLD : FAULT_CERT_SERVED_OTHER, newest,
		leaf, NULL);
}

/* false: the address does not answer, so other types need not be tried. */
static bool check_type(struct check *c, enum tls_key_type type)
{
	const struct served_file *newest = served_newest(c->files, c->files_n, type, clock_wall_s());
	struct served_leaf leaf;
	const char *why;
	struct fault f;
	int r;

	if (!newest)
		return true;
	r = served_ask(&c->place, c->name, type, &leaf, &why);
	if (r == 0) {
		compare(c, newest, &leaf);
	} else if (r == -EPROTO) {
		tell(c, FAULT_CERT_SERVED_MISSING, newest, NULL, why);
	} else {
		fault_set(&f, FAULT_CERT_SERVED_UNKNOWN);
		fault_fact(&f, "address", "%s", c->address);
		fault_fact(&f, "error", "%s", why);
		findings_add(&c->findings, &f);
		return false;
	}
	c->reached = true;
	return true;
}

static void check_address(struct check *c, const struct addrinfo *a)
{
	if (a->ai_addrlen > sizeof(c->place.address.in6))
		return;
	memcpy(&c->place.address.sa, a->ai_addr, a->ai_addrlen);
	c->place.address.n = a->ai_addrlen;
	net_addr_text(&c->place.address, c->address);
	for (enum tls_key_type t = 0; t < TLS_KEY_TYPES_MAX; t++)
		if (!check_type(c, t))
			return;
}

/* "host:port", "[2001:db8::1]:port" */
static bool split(const char *text, char host[256], char port[8])
{
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	uint64_t number;

	if (n > 1 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (n == 0 || n > 255 || span_to_u64(span_of(colon + 1), &number) < 0 || number < 1 || number > 65535)
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	snprintf(port, 8, "%u", (unsigned)number);
	return true;
}

static void print_served(const struct check *c)
{
	json_t *one;
	size_t i;

	json_array_foreach(c->served, i, one)
	{
		const char *address = json_string_value(json_object_get(one, "address"));
		const char *type = json_string_value(json_object_get(one, "type"));
		const char *file = json_string_value(json_object_get(one, "file"));
		char text[32];

		clock_minute(json_integer_value(json_object_get(one, "not_after")), text);
		fprintf(c->cli->out, "%-24s %-7s %s %s  %s\n", address, type, cli_say(c->cli, "until", "bis"), text,
			file ? file : cli_say(c->cli, "(none of the files)", "(keine der Dateien)"));
	}
}

static void ask_all(struct check *c, const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	int r = getaddrinfo(host, port, &hints, &found);
	unsigned n = 0;
	struct fault f;

	if (r != 0) {
		fault_set(&f, FAULT_CERT_SERVED_UNKNOWN);
		fault_fact(&f, "address", "%s:%s", host, port);
		fault_fact(&f, "error", "%s", gai_strerror(r));
		findings_add(&c->findings, &f);
		return;
	}
	for (const struct addrinfo *a = found; a && n < ADDRESSES_MAX; a = a->ai_next, n++)
		check_address(c, a);
	freeaddrinfo(found);
}

static void on_fault(void *arg, const struct fault *f)
{
	if (f->code != FAULT_CERT_NONE)
		findings_add(arg, f);
}

static unsigned files_of(const struct cli_args *args, const char *ret[2 * ARGS_MAX])
{
	unsigned n = 0;

	for (unsigned i = 0; i < args->n; i++)
		if (strcmp(args->v[i].option->name, "--file") == 0)
			ret[n++] = args->v[i].value;
	for (unsigned i = 1; i < args->rest_n; i++)
		ret[n++] = args->rest[i];
	return n;
}

static int finish(struct check *c)
{
	if (!c->cli->json) {
		print_served(c);
		json_decref(c->served);
		return cli_findings_end(c->cli, &c->findings, "torhaus.cert-check/1");
	}
	cli_print_json(c->cli,
		json_pack("{s:s s:o s:O}", "schema", "torhaus.cert-check/1", "served", c->served, "faults",
			c->findings.faults));
	return json_array_size(c->findings.faults) > 0 ? CLI_FOUND : CLI_DONE;
}

int cert_check_server(struct cli *cli, const struct cli_args *args)
{
	const char *paths[2 * ARGS_MAX], *starttls = cli_arg(args, "--starttls"), *name = cli_arg(args, "--name");
	struct served_file files[SERVED_FILES_MAX];
	struct check c = { .cli = cli, .files = files };
	char host[256], port[8], own[256] = "";
	struct net_addr numeric;
	unsigned paths_n = files_of(args, paths);
	int status;

	if (!split(args->rest[0], host, port))
		return cli_usage(cli, "write the server as HOST:PORT, such as mx.example.net:25, not \"%s\"",
			"der Server wird als HOST:PORT geschrieben, etwa mx.example.net:25, nicht \"%s\"",
			args->rest[0]);
	if (paths_n == 0)
		return cli_usage(cli, "name its certificates on disk by --file",
			"seine Zertifikate auf der Platte mit --file nennen");
	if (starttls && strcmp(starttls, "smtp") != 0 && strcmp(starttls, "none") != 0)
		return cli_usage(cli, "--starttls is smtp or none", "--starttls ist smtp oder none");
	if (name && *name && !cli_is_name(name))
		return cli_usage(cli, "--name is a host name such as mx.example.net, not \"%s\"",
			"--name ist ein Hostname, etwa mx.example.net, nicht \"%s\"", name);
	findings_init(&c.findings);
	c.files_n = served_files(paths, paths_n, files, on_fault, &c.findings);
	if (c.files_n == 0 && json_array_size(c.findings.faults) == 0) {
		findings_done(&c.findings);
		return cli_usage(cli, "%s holds a key and no certificate: name the certificates by --file",
			"%s enthält einen Schlüssel und kein Zertifikat: die Zertifikate mit --file nennen", paths[0]);
	}
	c.served = json_array();
	gethostname(own, sizeof(own) - 1);
	c.place = (struct served_place){ .timeout_s = TIMEOUT_S,
		.ehlo = own[0] ? own : NULL,
		.starttls = starttls ? strcmp(starttls, "smtp") == 0
				     : strcmp(port, "25") == 0 || strcmp(port, "587") == 0 };
	c.name = name ? span_of(name) : net_addr_parse_host(span_of(host), &numeric) == 0 ? SPAN("") : span_of(host);
	if (c.files_n > 0)
		ask_all(&c, host, port);
	status = finish(&c);
	if (cli->json)
		findings_done(&c.findings);
	return c.files_n > 0 && !c.reached ? CLI_UNREACHABLE : status;
}
