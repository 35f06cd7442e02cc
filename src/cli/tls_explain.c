/*
 * torhaus tls explain: would this client reach a server with these certificates?
 *
 * The answer is a replay in memory (tls/explain.h). What was supposed for it (a hello around a list
 * of suites, a key in the place of one that was not given) is told with it.
 */
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "cli/cli_priv.h"
#include "predict/predict.h"
#include "tls/explain.h"

#define LIST_MAX (256 * 1024)

struct question {
	struct cli *cli;
	struct arena arena;
	struct buf file; /* of the client */
	struct predict_client client;
	enum tls_use use;
	bool own_suites; /* of the server: torhaus's */
	struct tls_set *set;
	struct findings notes; /* what is wrong with the certificates */
	/* The answer. */
	struct tls_offer offer;
	const char *suite; /* NULL: it does not work */
	struct tls_explanation why;
};

static const char *say(const struct question *q, const char *en, const char *de)
{
	return cli_say(q->cli, en, de);
}

/* ---- what is asked ---- */

/* A file's bytes, or the value itself if there is no such file and it is a list. */
static int read_value(struct question *q, const char *value, bool is_list, size_t max, struct buf *out)
{
	struct fault fault;
	int r;

	buf_init(out, max);
	r = cli_file_read(value, out);
	if (r == 0)
		return CLI_DONE;
	if (is_list && (r == -ENOENT || r == -ENAMETOOLONG) && !strchr(value, '/')) {
		buf_reset(out);
		buf_add_text(out, value);
		return CLI_DONE;
	}
	fault_set(&fault, FAULT_FILE_UNREADABLE);
	fault_fact(&fault, "file", "%s", value);
	fault_fact(&fault, "error", "%s", strerror(-r));
	cli_fault(q->cli, &fault);
	return CLI_FOUND;
}

static int read_client(struct question *q, const char *suites, const char *hello, const char *name)
{
	struct fault fault;
	int r = read_value(q, suites ? suites : hello, suites, suites ? LIST_MAX : PREDICT_CAPTURE_MAX, &q->file);

	if (r != CLI_DONE)
		return r;
	if (suites)
		r = predict_from_suites(buf_span(&q->file), span_of(name), &q->arena, &q->client, &fault);
	else
		r = predict_from_capture(buf_span(&q->file), &q->arena, &q->client, &fault);
	if (r == 0)
		return CLI_DONE;
	fault_fact(&fault, "file", "%s", suites ? suites : hello);
	cli_fault(q->cli, &fault);
	return CLI_FOUND;
}

static void on_note(void *arg, const struct fault *fault)
{
	struct question *q = arg;
	findings_add(&q->notes, fault);
}

static int refuse_suites(struct question *q, struct span names)
{
	struct fault fault;

	fault_set(&fault, FAULT_TLS_SUITES_UNKNOWN);
	fault_fact(&fault, "names", "%.*s", SPAN_ARG(names.n ? span_sub(names, 0, 200) : SPAN("-")));
	cli_fault(q->cli, &fault);
	return CLI_FOUND;
}

/* Nothing usable was given: an answer about a server without certificates would be none. */
static int refuse_certificates(struct question *q)
{
	json_t *note;
	size_t i;

	json_array_foreach(q->notes.faults, i, note)
	{
		const char *code = json_string_value(json_object_get(note, "code"));

		if (!code || strcmp(code, fault_code_text(FAULT_CERT_NONE)) != 0)
			cli_fault_json(q->cli, q->cli->err, note);
	}
	return CLI_FOUND;
}

static int read_server(struct question *q, const struct cli_args *args)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(LIST_MAX), suites = BUF_INIT(LIST_MAX),
				       suites13 = BUF_INIT(LIST_MAX);
	struct tls_set_settings settings = { .session_lifetime_s = 3600, .stand_in_keys = true, .any_name = true };
	const char *paths[2 * ARGS_MAX], *list = cli_arg(args, "--server-suites");
	struct tls_files *files;
	unsigned n = 0;

	for (unsigned i = 0; i < args->n; i++)
		if (strcmp(args->v[i].option->name, "--with") == 0)
			paths[n++] = args->v[i].value;
	for (unsigned i = 0; i < args->rest_n; i++)
		paths[n++] = args->rest[i];
	if (list) {
		if (read_value(q, list, true, LIST_MAX, &text) != CLI_DONE)
			return CLI_FOUND;
		predict_server_suites(buf_span(&text), &suites, &suites13);
		if (suites.n + suites13.n == 0)
			return refuse_suites(q, buf_span(&text));
		settings.suites = buf_text(&suites);
		settings.suites13 = buf_text(&suites13);
	}
	q->own_suites = !list;
	files = tls_files_read_named(paths, n);
	q->set = tls_set_build(files, &settings, NULL, on_note, q);
	tls_files_free(files);
	return tls_set_count(q->set) == 0 && !q->cli->json ? refuse_certificates(q) : CLI_DONE;
}

/* ---- the answer, for people ---- */

static void print_client(const struct question *q)
{
	FILE *out = q->cli->out;

	fprintf(out, say(q, "Client: %u suites, %s at most", "Client: %u Suiten, höchstens %s"), q->offer.suites_n,
		tls_version_text(q->offer.version_max));
	if (q->offer.name[0])
		fprintf(out, say(q, ", asks for %s", ", verlangt %s"), q->offer.name);
	if (q->client.from[0])
		fprintf(out, say(q, "; from %s", "; von %s"), q->client.from);
	if (q->client.hellos_n > 1)
		fprintf(out, "%s %u", say(q, "; hello 1 of", "; Hello 1 von"), q->client.hellos_n);
	fprintf(out, "\n");
	if (q->client.supposed)
		fprintf(out, "  %s\n",
			say(q, "Supposed, since a list is no whole ClientHello: the groups X25519, P-256, P-384 and P-521, and all usual signature algorithms for RSA and ECDSA.",
				"Unterstellt, weil eine Liste kein ganzes ClientHello ist: die Gruppen X25519, P-256, P-384 und P-521, und alle üblichen Signaturverfahren für RSA und ECDSA."));
	if (q->client.unknown_n > 0)
		fprintf(out, say(q, "  Not known, and left out: %.*s\n", "  Nicht bekannt und weggelassen: %.*s\n"),
			SPAN_ARG(q->client.unknown));
}

/* "the peer could use it"; NULL: it is not looked at, for another pair of its type is preferred. */
static const struct tls_obstacle *obstacle_of(const struct question *q, const struct tls_pair *p)
{
	for (unsigned i = 0; i < q->offer.obstacles_n; i++)
		if (q->offer.obstacles[i].pair == p)
			return &q->offer.obstacles[i];
	return NULL;
}

static void print_server(const struct question *q)
{
	FILE *out = q->cli->out;

	fprintf(out, "%s\n",
		!q->own_suites ? say(q, "Server: with the suites given", "Server: mit den genannten Suiten")
			: q->use == TLS_FOR_WEB ? say(q, "Server: torhaus for the web", "Server: torhaus für das Web")
						: say(q, "Server: torhaus for mail", "Server: torhaus für Mail"));
	for (unsigned i = 0; i < tls_set_count(q->set); i++) {
		const struct tls_pair *p = tls_set_pair(q->set, i);
		const struct tls_obstacle *o = obstacle_of(q, p);

		fprintf(out, "  %-7s %5u  %s  (%.*s)%s\n", tls_key_type_text(p->type), p->bits, p->cert_path,
			SPAN_ARG(p->names[0]),
			p->stand_in ? say(q, "  no key given: tried with another one of its type",
					      "  kein Schlüssel angegeben: mit einem anderen seiner Art versucht")
				    : "");
		if (o)
			fprintf(out, "    %s\n", say(q, o->why_en, o->why_de));
	}
}

static void print_suites(const struct question *q)
{
	const struct tls_offer *o = &q->offer;

	fprintf(q->cli->out,
		say(q,
			"Suites: %u need an RSA certificate, %u an ECDSA one, %u either (TLS 1.3); %u are of the past.\n"
			"  %u stand in both sides' lists; %u of them can be served with these certificates.\n",
			"Suiten: %u brauchen ein RSA-Zertifikat, %u ein ECDSA-Zertifikat, %u eines von beiden (TLS 1.3); %u sind von früher.\n"
			"  %u stehen in den Listen beider Seiten; %u davon sind mit diesen Zertifikaten möglich.\n"),
		o->rsa_n, o->ecdsa_n, o->any_n, o->past_n, o->common_n, o->usable_n);
}

static void print_answer(const struct question *q)
{
	struct cli *cli = q->cli;
	json_t *note;
	size_t i;

	print_client(q);
	print_server(q);
	if (q->offer.suites_n > 0)
		print_suites(q);
	if (q->suite)
		fprintf(cli->out, say(q, "%sIt works%s, with %s (%s).\n", "%sEs geht%s, mit %s (%s).\n"), cli_bold(cli),
			cli_plain(cli), q->suite, tls_version_text(q->offer.version));
	else
		fprintf(cli->out, "%s%s%s\n", cli_red(cli), say(q, "It does not work.", "Es geht nicht."),
			cli_plain(cli));
	for (unsigned k = 0; k < q->why.causes_n; k++)
		cli_fault_to(cli, cli->out, &q->why.causes[k]);
	if (json_array_size(q->notes.faults) > 0)
		fprintf(cli->out, "%s\n", say(q, "About the certificates:", "Zu den Zertifikaten:"));
	json_array_foreach(q->notes.faults, i, note)
	{
		cli_fault_json(cli, cli->out, note);
	}
}

/* ---- and for programs ---- */

static void client_json(const struct question *q, struct jsonw *j)
{
	jsonw_object(j, "client");
	jsonw_bool(j, "supposed", q->client.supposed);
	jsonw_text(j, "version_max", tls_version_text(q->offer.version_max));
	jsonw_text(j, "name", q->offer.name[0] ? q->offer.name : NULL);
	jsonw_text(j, "from", q->client.from[0] ? q->client.from : NULL);
	jsonw_uint(j, "hellos", q->client.hellos_n);
	jsonw_uint(j, "unknown_names", q->client.unknown_n);
	jsonw_end(j);
}

static void suites_json(const struct question *q, struct jsonw *j)
{
	jsonw_object(j, "suites");
	jsonw_uint(j, "offered", q->offer.suites_n);
	jsonw_uint(j, "need_rsa", q->offer.rsa_n);
	jsonw_uint(j, "need_ecdsa", q->offer.ecdsa_n);
	jsonw_uint(j, "need_either", q->offer.any_n);
	jsonw_uint(j, "past", q->offer.past_n);
	jsonw_uint(j, "common", q->offer.common_n);
	jsonw_uint(j, "usable", q->offer.usable_n);
	jsonw_end(j);
}

static void certificates_json(const struct question *q, struct jsonw *j)
{
	jsonw_array(j, "certificates");
	for (unsigned i = 0; i < tls_set_count(q->set); i++) {
		const struct tls_pair *p = tls_set_pair(q->set, i);
		const struct tls_obstacle *o = obstacle_of(q, p);

		jsonw_object(j, NULL);
		jsonw_text(j, "file", p->cert_path);
		jsonw_text(j, "type", tls_key_type_text(p->type));
		jsonw_uint(j, "bits", p->bits);
		jsonw_bool(j, "stand_in_key", p->stand_in);
		jsonw_bool(j, "usable", o && o->usable);
		jsonw_text(j, "why", o ? o->why_en : NULL);
		jsonw_text(j, "why_de", o ? o->why_de : NULL);
		jsonw_end(j);
	}
	jsonw_end(j);
}

static void print_json(const struct question *q)
{
	struct buf text = BUF_INIT(1 << 20);
	char *notes = json_dumps(q->notes.faults, JSON_COMPACT);
	struct jsonw j;

	jsonw_init(&j, &text);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.tls-explain/1");
	jsonw_bool(&j, "works", q->suite != NULL);
	jsonw_text(&j, "suite", q->suite);
	jsonw_text(&j, "version", q->suite ? tls_version_text(q->offer.version) : NULL);
	client_json(q, &j);
	suites_json(q, &j);
	certificates_json(q, &j);
	if (!q->suite)
		tls_explanation_json(&j, "explanation", &q->why);
	jsonw_raw(&j, "notes", span_of(notes));
	jsonw_end(&j);
	fprintf(q->cli->out, "%s\n", buf_text(&text));
	mem_free(notes);
	buf_done(&text);
}

/* ---- the verb ---- */

static int answer(struct question *q)
{
	tls_explain_offer(q->client.hello, q->use, q->set, &q->offer);
	tls_explain_hello(q->client.hello, q->use, q->set, &q->suite, &q->why);
	if (q->cli->json)
		print_json(q);
	else
		print_answer(q);
	return q->suite ? CLI_DONE : CLI_FOUND;
}

int cli_tls_explain(struct cli *cli, int argc, char **argv)
{
	struct question q = { .cli = cli };
	const char *suites, *hello, *name, *use;
	struct cli_args args;
	int status;

	if (cli_args_parse(cli, argc, argv, ARGS_MAX, &args) != CLI_DONE)
		return CLI_USAGE;
	suites = cli_arg(&args, "--suites");
	hello = cli_arg(&args, "--hello");
	name = cli_arg(&args, "--name");
	use = cli_arg(&args, "--for");
	if (!suites == !hello)
		return cli_usage(cli, "name the client by --suites or by --hello",
			"den Client mit --suites oder mit --hello nennen");
	if (!cli_arg(&args, "--with"))
		return cli_usage(cli, "name the certificates by --with", "die Zertifikate mit --with nennen");
	if (name && *name && !cli_is_name(name))
		return cli_usage(cli, "--name is a host name such as mx.example.net, not \"%s\"",
			"--name ist ein Hostname, etwa mx.example.net, nicht \"%s\"", name);
	if (use && strcmp(use, "mail") != 0 && strcmp(use, "web") != 0)
		return cli_usage(cli, "--for is mail or web", "--for ist mail oder web");
	q.use = use && strcmp(use, "web") == 0 ? TLS_FOR_WEB : TLS_FOR_MAIL;
	findings_init(&q.notes);
	arena_init(&q.arena, 4096);
	status = read_client(&q, suites, hello, name ? name : "");
	if (status == CLI_DONE)
		status = read_server(&q, &args);
	if (status == CLI_DONE)
		status = answer(&q);
	tls_set_unref(q.set);
	findings_done(&q.notes);
	buf_done(&q.file);
	arena_done(&q.arena);
	return status;
}
