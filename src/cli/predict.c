/*
 * torhaus cert predict: who would no longer get through if these certificates came and those went?
 *
 * The kept ClientHellos of the peers are replayed against what the certificate folders hold now,
 * and against what they would hold (predict/predict.h). With --log the peers of a mail log are
 * asked instead, with --scan the servers of a survey, which are approximations and say so; then
 * only the files named count, so that it works for other servers, too.
 */
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "cli/tls_scan.h"
#include "store/store.h"
#include "logs/logs.h"
#include "predict/predict.h"

#define ROWS_SHOWN   20
#define CAUSES_SHOWN 3

struct prediction {
	struct cli *cli;
	struct arena arena;
	const char *with[2 * ARGS_MAX], *without[ARGS_MAX];
	unsigned with_n, without_n;
	enum { FROM_PEERS, FROM_LOGS, FROM_SCANS } source;
	const char *files[ARGS_MAX]; /* of logs or scans */
	unsigned files_n;
	unsigned servers; /* of the scans, whatever they tell */
	int64_t since;
	bool partly; /* something could not be read, or nobody is known */
	struct tls_set *now, *then, *both;
	struct predict_result result;
};

static const char *say(const struct prediction *p, const char *en, const char *de)
{
	return cli_say(p->cli, en, de);
}

/* ---- the sets ---- */

static bool is_same_file(const char *a, const char *b)
{
	char *ra = realpath(a, NULL), *rb = realpath(b, NULL);
	bool same = strcmp(a, b) == 0 || (ra && rb && strcmp(ra, rb) == 0);

	mem_free(ra);
	mem_free(rb);
	return same;
}

static bool goes(const struct prediction *p, const char *path)
{
	for (unsigned i = 0; i < p->without_n; i++)
		if (is_same_file(p->without[i], path))
			return true;
	return false;
}

static void add_file(struct tls_files *to, struct tls_file *f)
{
	to->v = mem_resize(to->v, to->n + 1, sizeof(*to->v));
	to->v[to->n++] = (struct tls_file){ .path = mem_text(f->path),
		.changed_ns = f->changed_ns,
		.bytes = span_text(span_make(f->bytes, f->n)),
		.n = f->n,
		.readable = f->readable,
		.error = f->error };
}

static void add_files(struct tls_files *to, const struct tls_files *from)
{
	for (unsigned i = 0; i < from->n; i++)
		add_file(to, &from->v[i]);
}

/* What is there, with what comes in the place of the first file that goes (the order decides what
 * strangers see), or behind it. */
static struct tls_files *files_then(const struct prediction *p, const struct tls_files *now,
	const struct tls_files *new, bool keep_old)
{
	struct tls_files *then = mem_new(struct tls_files);
	bool placed = false;

	for (unsigned i = 0; i < now->n; i++) {
		bool out = goes(p, now->v[i].path);

		if (out && !placed) {
			add_files(then, new);
			placed = true;
		}
		if (!out || keep_old)
			add_file(then, &now->v[i]);
	}
	if (!placed)
		add_files(then, new);
	return then;
}

static void on_fault(void *arg, const struct fault *f)
{
	cli_fault(arg, f);
}

static void ignore(void *arg, const struct fault *f)
{
	(void)arg, (void)f;
}

/* What is wrong with the files themselves; that none is left is told by the caller. */
static void on_file_fault(void *arg, const struct fault *f)
{
	if (f->code != FAULT_CERT_NONE)
		cli_fault(arg, f);
}

static bool is_among(const struct tls_files *files, const char *path)
{
	for (unsigned i = 0; i < files->n; i++)
		if (is_same_file(path, files->v[i].path))
			return true;
	return false;
}

/* Does each file named say something? A slip in a name would make the answer one about another
 * question. */
static int check_files(struct prediction *p, const struct tls_files *now, const struct tls_files *new,
	const struct tls_set_settings *settings, bool from_folders)
{
	struct tls_set *set = tls_set_build(new, settings, NULL, on_file_fault, p->cli);
	unsigned n = tls_set_count(set);

	tls_set_unref(set);
	if (p->with_n > 0 && n == 0)
		return cli_usage(p->cli, "--with names no usable certificate",
			"--with nennt kein brauchbares Zertifikat");
	for (unsigned i = 0; i < p->without_n && from_folders; i++)
		if (!is_among(now, p->without[i]))
			return cli_usage(p->cli,
				"--without %s is none of the files in the certificate folders; `torhaus cert list` names them",
				"--without %s ist keine der Dateien in den Zertifikatsordnern; `torhaus cert list` nennt sie",
				p->without[i]);
	if (from_folders)
		return CLI_DONE;
	set = tls_set_build(now, settings, NULL, on_file_fault, p->cli);
	n = tls_set_count(set);
	tls_set_unref(set);
	return n == 0 ? cli_usage(p->cli, "--without names no usable certificate",
				"--without nennt kein brauchbares Zertifikat")
		      : CLI_DONE;
}

static int build_sets(struct prediction *p, const struct settings *s)
{
	const struct tls_set_settings settings = { .session_lifetime_s = 3600, .stand_in_keys = true, .any_name = !s };
	struct tls_files *now = s ? tls_files_read(s->certificates.v, s->certificates.n)
				  : tls_files_read_named(p->without, p->without_n);
	struct tls_files *new = tls_files_read_named(p->with, p->with_n);
	struct tls_files *then = files_then(p, now, new, false), *both = files_then(p, now, new, true);

	int status = check_files(p, now, new, &settings, s != NULL);

	p->now = tls_set_build(now, &settings, NULL, ignore, NULL);
	p->then = tls_set_build(then, &settings, NULL, ignore, NULL);
	p->both = tls_set_build(both, &settings, NULL, ignore, NULL);
	tls_files_free(now);
	tls_files_free(new);
	tls_files_free(then);
	tls_files_free(both);
	return status;
}

/* "RSA and ECDSA" */
static const char *types_of(struct prediction *p, struct tls_set *set)
{
	_cleanup_(buf_done) struct buf text = BUF_INIT(256);

	for (enum tls_key_type t = 0; t < TLS_KEY_TYPES_MAX; t++)
		for (unsigned i = 0; i < tls_set_count(set); i++)
			if (tls_set_pair(set, i)->type == t) {
				buf_addf(&text, "%s%s", text.n ? say(p, " and ", " und ") : "", tls_key_type_text(t));
				break;
			}
	return text.n ? arena_text(&p->arena, buf_span(&text)) : say(p, "none", "keine");
}

/* ---- for people ---- */

static void print_breakers(const struct prediction *p)
{
	const struct predict_result *r = &p->result;
	FILE *out = p->cli->out;
	bool by_scan = p->source == FROM_SCANS;
	char seen[32], mails[24];

	fprintf(out, "\n%-20s %-34s %12s  %-16s  %s\n",
		by_scan ? say(p, "ADDRESS", "ADRESSE") : say(p, "NETWORK", "NETZ"), by_scan ? "SERVER" : "EHLO",
		say(p, "MAILS, 30 D", "MAILS, 30 T"), say(p, "LAST SEEN", "ZULETZT"), say(p, "WHY", "WARUM"));
	for (unsigned i = 0; i < r->breakers_n && i < ROWS_SHOWN; i++) {
		const struct predict_breaker *b = &r->breakers[i];

		clock_minute(b->last_at, seen);
		snprintf(mails, sizeof(mails), "%llu", (unsigned long long)b->mails_recent);
		fprintf(out, "%-20.*s %-34.*s %12s  %-16s  %s%s\n", SPAN_ARG(b->network),
			SPAN_ARG(b->helo.n ? span_sub(b->helo, 0, 34) : SPAN("-")), by_scan ? "-" : mails, seen,
			fault_code_text(b->cause.code),
			b->broken < b->hellos ? say(p, " (some of its hosts)", " (einige ihrer Hosts)") : "");
	}
	if (r->broken > ROWS_SHOWN)
		fprintf(out, say(p, "and %u more (--json lists them)\n", "und %u weitere (--json nennt sie)\n"),
			r->broken - ROWS_SHOWN);
}

/* Each code once, with the evidence of the peer that sends most. */
static void print_causes(const struct prediction *p)
{
	enum fault_code told[CAUSES_SHOWN];
	unsigned n = 0;

	fprintf(p->cli->out, "\n");
	if (p->source == FROM_LOGS) {
		fprintf(p->cli->out, "%s\n",
			say(p, "They were only seen with certificates of the key type that would be gone, and never with TLS 1.3.",
				"Sie waren nur mit Zertifikaten der Schlüsselart zu sehen, die es nicht mehr gäbe, und nie mit TLS 1.3."));
		return;
	}
	for (unsigned i = 0; i < p->result.breakers_n && n < CAUSES_SHOWN; i++) {
		const struct fault *f = &p->result.breakers[i].cause;
		bool known = false;

		for (unsigned k = 0; k < n; k++)
			known |= told[k] == f->code;
		if (known)
			continue;
		told[n++] = f->code;
		cli_fault_to(p->cli, p->cli->out, f);
	}
}

static void print_advice(const struct prediction *p)
{
	fprintf(p->cli->out, "%s\n",
		p->result.keeping_helps
			? say(p, "Nobody breaks if the old certificates stay in service beside the new ones.",
				  "Niemand scheitert, wenn die alten Zertifikate neben den neuen in Betrieb bleiben.")
			: say(p, "Some break even if the old certificates stay in service beside the new ones; see the causes.",
				  "Einige scheitern auch dann, wenn die alten Zertifikate neben den neuen in Betrieb bleiben; siehe die Ursachen."));
}

/* Who was asked, and how far the answer can be trusted. */
static void print_basis(const struct prediction *p)
{
	const struct predict_result *r = &p->result;
	FILE *out = p->cli->out;

	switch (p->source) {
	case FROM_PEERS:
		fprintf(out,
			say(p, "Replayed: %u kept peers with %u different ClientHellos; %u of the peers fail already, %u of those would get through.\n",
				"Abgespielt: %u aufbewahrte Gegenstellen mit %u verschiedenen ClientHellos; %u davon scheitern schon jetzt, von diesen kämen %u durch.\n"),
			r->peers, r->hellos, r->failing, r->mended);
		return;
	case FROM_LOGS:
		fprintf(out,
			say(p, "An approximation: %u peers of the log, judged by the suites that they were seen with. Kept ClientHellos would tell exactly.\n",
				"Eine Näherung: %u Gegenstellen des Protokolls, beurteilt nach den Suiten, mit denen sie zu sehen waren. Aufbewahrte ClientHellos sagten es genau.\n"),
			r->peers);
		return;
	case FROM_SCANS:
		fprintf(out,
			say(p, "An approximation: %u of %u scanned servers, judged by what they accept as servers, not by what they send as clients; %u of them would fail already. Kept ClientHellos would tell exactly.\n",
				"Eine Näherung: %u von %u abgefragten Servern, beurteilt nach dem, was sie als Server annehmen, nicht nach dem, was sie als Clients senden; %u davon scheiterten schon jetzt. Aufbewahrte ClientHellos sagten es genau.\n"),
			r->peers, p->servers, r->failing);
		return;
	}
}

static void print_broken(const struct prediction *p)
{
	static const char *const texts[][2] = {
		[FROM_PEERS] = { "%u peers would no longer get through; they sent %llu mails in the last 30 days.",
			"%u Gegenstellen kämen nicht mehr durch; sie sandten in den letzten 30 Tagen %llu Mails." },
		[FROM_LOGS] = { "%u peers would no longer get through; the log has %llu mails of theirs.",
			"%u Gegenstellen kämen nicht mehr durch; das Protokoll hat %llu Mails mit ihnen." },
		[FROM_SCANS] = { "%u of the servers would probably no longer get through as clients.",
			"%u der Server kämen als Clients wohl nicht mehr durch." },
	};
	FILE *out = p->cli->out;

	fprintf(out, "%s", cli_red(p->cli));
	fprintf(out, say(p, texts[p->source][0], texts[p->source][1]), p->result.broken,
		(unsigned long long)p->result.mails_recent);
	fprintf(out, "%s\n", cli_plain(p->cli));
}

static void print_result(struct prediction *p)
{
	const struct predict_result *r = &p->result;
	FILE *out = p->cli->out;

	fprintf(out, say(p, "Certificates now: %s; then: %s.\n", "Zertifikate jetzt: %s; dann: %s.\n"),
		types_of(p, p->now), types_of(p, p->then));
	print_basis(p);
	if (r->peers == 0 && p->source != FROM_PEERS) {
		fprintf(out, "%s\n",
			say(p, "So nothing can be said: it names nobody whose TLS is known.",
				"So lässt sich nichts sagen: Darin steht niemand, dessen TLS bekannt ist."));
		return;
	}
	if (r->peers == 0) {
		fprintf(out, "%s\n",
			say(p, "So nothing can be said: no peers are known yet. A mail log or a scan gives an approximation: --log FILE, --scan FILE.",
				"So lässt sich nichts sagen: Es sind noch keine Gegenstellen bekannt. Ein Mailprotokoll oder eine Abfrage gibt eine Näherung: --log DATEI, --scan DATEI."));
		return;
	}
	if (r->broken == 0) {
		fprintf(out, "%s\n",
			say(p, "All of them that get through now would still get through.",
				"Alle, die jetzt durchkommen, kämen weiterhin durch."));
		return;
	}
	print_broken(p);
	print_breakers(p);
	print_causes(p);
	print_advice(p);
}

/* ---- for programs ---- */

static void breaker_json(struct jsonw *j, const struct predict_breaker *b)
{
	jsonw_object(j, NULL);
	jsonw_span(j, "network", b->network);
	jsonw_span(j, "helo", b->helo);
	jsonw_span(j, "address", b->address);
	jsonw_int(j, "last", b->last_at);
	jsonw_uint(j, "mails", b->mails);
	jsonw_uint(j, "mails_30d", b->mails_recent);
	jsonw_uint(j, "hellos", b->hellos);
	jsonw_uint(j, "hellos_broken", b->broken);
	jsonw_bool(j, "keeping_old_helps", b->kept_old_helps);
	fault_json(j, "cause", &b->cause);
	jsonw_end(j);
}

static void print_json(struct prediction *p)
{
	static const char *const sources[] = { [FROM_PEERS] = "peers", [FROM_LOGS] = "log", [FROM_SCANS] = "scan" };
	_cleanup_(buf_done) struct buf text = BUF_INIT(64 << 20);
	const struct predict_result *r = &p->result;
	struct jsonw j;

	jsonw_init(&j, &text);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.cert-predict/1");
	jsonw_text(&j, "source", sources[p->source]);
	jsonw_bool(&j, "approximation", p->source != FROM_PEERS);
	jsonw_text(&j, "types_now", types_of(p, p->now));
	jsonw_text(&j, "types_then", types_of(p, p->then));
	jsonw_uint(&j, "peers", r->peers);
	jsonw_uint(&j, "hellos", r->hellos);
	jsonw_uint(&j, "failing", r->failing);
	jsonw_uint(&j, "mended", r->mended);
	jsonw_uint(&j, "broken", r->broken);
	jsonw_uint(&j, "mails_30d", r->mails_recent);
	jsonw_bool(&j, "keeping_old_helps", r->keeping_helps);
	jsonw_array(&j, "breakers");
	for (unsigned i = 0; i < r->breakers_n; i++)
		breaker_json(&j, &r->breakers[i]);
	jsonw_end(&j);
	jsonw_end(&j);
	fprintf(p->cli->out, "%s\n", buf_text(&text));
}

/* ---- the verb ---- */

static int predict_by_peers(struct prediction *p)
{
	struct settings *s = cli_settings(p->cli);
	struct store *store = NULL;
	struct fault fault;
	int r = s ? build_sets(p, s) : CLI_SETTINGS;

	if (r != CLI_DONE) {
		settings_unref(s);
		return r;
	}
	r = store_open(s->store.p, false, &store, &fault);
	if (r == 0)
		r = predict_peers(store, TLS_FOR_MAIL, p->now, p->then, p->both, &p->arena, &p->result, &fault);
	if (r < 0)
		cli_fault(p->cli, &fault);
	p->partly = p->result.peers == 0;
	store_close(store);
	settings_unref(s);
	return r < 0 ? CLI_UNREACHABLE : CLI_DONE;
}

static int predict_by_logs(struct prediction *p)
{
	int r = build_sets(p, NULL);
	struct logs *l;

	if (r != CLI_DONE)
		return r;
	l = logs_new(p->since, 0);
	r = logs_read(l, p->files, p->files_n, on_fault, p->cli);
	logs_conclude(l);
	predict_logs(l, p->now, p->then, &p->arena, &p->result);
	p->partly = r < 0 || p->result.peers == 0;
	logs_free(l);
	return CLI_DONE;
}

static int predict_by_scans(struct prediction *p)
{
	int status = CLI_DONE;
	struct fleet f;

	fleet_init(&f);
	for (unsigned i = 0; i < p->files_n && status == CLI_DONE; i++)
		status = tls_scan_read(p->cli, p->files[i], &f);
	if (status == CLI_DONE)
		status = build_sets(p, NULL);
	if (status == CLI_DONE) {
		predict_servers(&f, TLS_FOR_MAIL, p->now, p->then, p->both, &p->arena, &p->result);
		p->servers = f.n;
		p->partly = p->result.peers == 0;
	}
	fleet_done(&f);
	return status;
}

static int run(struct prediction *p)
{
	static int (*const by[])(struct prediction *) = { [FROM_PEERS] = predict_by_peers,
		[FROM_LOGS] = predict_by_logs,
		[FROM_SCANS] = predict_by_scans };
	int status = by[p->source](p);

	if (status != CLI_DONE)
		return status;
	if (p->cli->json)
		print_json(p);
	else
		print_result(p);
	return p->partly ? CLI_PARTLY : p->result.broken > 0 ? CLI_FOUND : CLI_DONE;
}

static int take_args(struct prediction *p, const struct cli_args *args)
{
	struct cli *cli = p->cli;

	for (unsigned i = 0; i < args->n; i++) {
		const char *option = args->v[i].option->name, *value = args->v[i].value;

		if (strcmp(option, "--with") == 0)
			p->with[p->with_n++] = value;
		else if (strcmp(option, "--without") == 0)
			p->without[p->without_n++] = value;
		else if (strcmp(option, "--log") == 0 || strcmp(option, "--scan") == 0)
			p->files[p->files_n++] = value;
	}
	if (cli_arg(args, "--log") && cli_arg(args, "--scan"))
		return cli_usage(cli, "a log or a scan: --log and --scan exclude each other",
			"ein Log oder ein Scan: --log und --scan schließen einander aus");
	p->source = cli_arg(args, "--log") ? FROM_LOGS : cli_arg(args, "--scan") ? FROM_SCANS : FROM_PEERS;
	for (unsigned i = 0; i < args->rest_n; i++)
		p->with[p->with_n++] = args->rest[i];
	if (p->with_n == 0 && p->without_n == 0)
		return cli_usage(cli, "name what comes by --with, what goes by --without",
			"mit --with nennen, was kommt, mit --without, was geht");
	if (p->source != FROM_PEERS && p->without_n == 0)
		return cli_usage(cli, "with --log and --scan, name the certificates in service by --without",
			"bei --log und --scan die Zertifikate im Einsatz mit --without nennen");
	if (!cli_since(cli_arg(args, "--since"), &p->since))
		return cli_usage(cli, "--since is a date (2024-01-05) or a time to now (30d)",
			"--since ist ein Datum (2024-01-05) oder eine Zeit bis jetzt (30d)");
	return CLI_DONE;
}

int cli_cert_predict(struct cli *cli, int argc, char **argv)
{
	struct prediction p = { .cli = cli };
	struct cli_args args;
	int status = cli_args_parse(cli, argc, argv, ARGS_MAX, &args);

	if (status == CLI_DONE)
		status = take_args(&p, &args);
	if (status != CLI_DONE)
		return status;
	arena_init(&p.arena, 65536);
	status = run(&p);
	tls_set_unref(p.now);
	tls_set_unref(p.then);
	tls_set_unref(p.both);
	arena_done(&p.arena);
	return status;
}
