/*
 * torhaus cache purge, cache stat
 *
 * A purge is a row in the store, which every edge node carries out once, and a word to the server
 * of this machine to do it now and count. With the store out of order a running server is told
 * directly.
 */
#include <errno.h>
#include <string.h>
#include "base/clock.h"
#include "base/fmt.h"
#include "cli/cli_priv.h"
#include "cli/domain_work.h"
#include "store/store.h"

/* In the order of enum store_purge_kind. */
static const char *const kinds[] = { "--url", "--prefix", "--tag", "--domain", "--all" };

static int purge_of(struct cli *cli, const struct cli_args *args, struct store_purge *ret)
{
	unsigned given = 0;

	*ret = (struct store_purge){ .hard = cli_arg(args, "--hard") != NULL, .at = clock_wall_s() };
	for (unsigned i = 0; i < array_len(kinds); i++) {
		const char *value = cli_arg(args, kinds[i]);

		if (!value)
			continue;
		given++;
		ret->kind = (enum store_purge_kind)i;
		ret->what = span_of(value);
	}
	if (given != 1)
		return cli_usage(cli, "one of --url, --prefix, --tag, --domain and --all is wanted",
			"eines von --url, --prefix, --tag, --domain und --all ist nötig");
	if (ret->what.n == 0 && ret->kind != STORE_PURGE_ALL)
		return cli_usage(cli, "%s needs a value", "%s braucht einen Wert", kinds[ret->kind]);
	if ((ret->kind == STORE_PURGE_URL || ret->kind == STORE_PURGE_PREFIX) && span_find(ret->what, SPAN("//")) < 0)
		return cli_usage(cli, "%s needs a whole URL, such as https://example.de/path",
			"%s braucht eine ganze URL, etwa https://example.de/pfad", kinds[ret->kind]);
	return CLI_DONE;
}

/* The row; *ret_seq. */
static int write_row(const struct settings *s, const struct store_purge *p, uint64_t *ret_seq, struct fault *fault)
{
	struct store *store = NULL;
	int r = store_open(s->store.p, false, &store, fault);

	if (r == 0)
		r = store_purge_add(store, p, ret_seq, fault);
	store_close(store);
	return r;
}

static json_t *directly(const struct settings *s, const struct store_purge *p, unsigned *http, int *error)
{
	json_t *body = json_pack("{s:s s:s% s:b}", "kind", kinds[p->kind] + 2, "what", p->what.p, p->what.n, "hard",
		(int)p->hard);
	json_t *answer = cli_ask(s, "POST", "/cache/purge", body, http, error);

	json_decref(body);
	return answer;
}

static json_t *by_seq(const struct settings *s, const struct store_purge *p, uint64_t seq, unsigned *http, int *error)
{
	json_t *body = json_pack("{s:I s:s s:s%}", "seq", (json_int_t)seq, "kind", kinds[p->kind] + 2, "what",
		p->what.n ? p->what.p : "", p->what.n);
	json_t *answer = cli_ask(s, "POST", "/cache/purge", body, http, error);

	json_decref(body);
	return answer;
}

/* Loud, for the usual reason is an address that was written differently. */
static void tell_nearest(struct cli *cli, const char *nearest)
{
	if (nearest)
		fprintf(cli->err,
			cli_say(cli, "Nothing there has that name; the nearest is %s\n",
				"Nichts davon heißt so; am nächsten kommt %s\n"),
			nearest);
	else
		fprintf(cli->err, "%s\n", cli_say(cli, "Nothing there has that name.", "Nichts davon heißt so."));
}

static int tell_purged(struct cli *cli, json_t *answer)
{
	long long objects = json_integer_value(json_object_get(answer, "objects"));

	if (cli->json)
		cli_print_json(cli, json_incref(answer));
	else
		fprintf(cli->out,
			objects == 1 ? cli_say(cli, "%lld object purged.\n", "%lld Objekt geleert.\n")
				     : cli_say(cli, "%lld objects purged.\n", "%lld Objekte geleert.\n"),
			objects);
	if (objects == 0 && !cli->json)
		tell_nearest(cli, json_string_value(json_object_get(answer, "nearest")));
	return CLI_DONE;
}

static int tell_later(struct cli *cli)
{
	if (cli->json)
		fprintf(cli->out, "{\"schema\":\"torhaus.purge/1\",\"objects\":0,\"running\":false}\n");
	else
		fprintf(cli->out, "%s\n",
			cli_say(cli,
				"No server runs here: the purge takes effect when one starts, and on other nodes now.",
				"Hier läuft kein Server: Das Leeren wirkt, wenn einer startet, und auf anderen Knoten jetzt."));
	return CLI_DONE;
}

static int purge(struct cli *cli, const struct settings *s, const struct store_purge *p)
{
	struct fault fault;
	uint64_t seq = 0;
	unsigned http = 0;
	json_t *answer = NULL;
	int error = 0, written = write_row(s, p, &seq, &fault), r;

	if (written == 0)
		answer = by_seq(s, p, seq, &http, &error);
	else
		cli_fault(cli, &fault);
	/* The store failed, for us or for the server: at least this machine's cache is purged. */
	if (written < 0 || (answer && http != 200)) {
		json_decref(answer);
		answer = directly(s, p, &http, &error);
	}
	if (answer && http == 200) {
		r = tell_purged(cli, answer);
		r = written < 0 ? CLI_PARTLY : r;
	} else if (written == 0 && error == -EACCES) {
		/* A server that we may not ask reads the row by itself; nobody tells us what it
		 * did. */
		cli_unreachable(cli, s, error);
		r = CLI_PARTLY;
	} else if (written == 0 && !answer) {
		r = tell_later(cli);
	} else {
		r = cli_unreachable(cli, s, error ? error : -EPROTO);
	}
	json_decref(answer);
	return r;
}

/* A misspelt name would purge nothing and say so as if all was well. Where the store cannot be
 * read, nobody can tell. */
static int check_domain(struct cli *cli, const char *text)
{
	struct span name = { 0 };
	struct work w;
	int found = 1, status = work_begin(&w, cli);

	if (status == CLI_DONE && !work_find_name(&w, text, &name))
		status = CLI_USAGE;
	else if (status == CLI_DONE)
		found = work_has(&w, name);
	if (status == CLI_DONE && found == 0)
		status = work_refuse_unknown(&w, name);
	work_end(&w, status);
	return status == CLI_UNREACHABLE ? CLI_DONE : status;
}

int cli_cache_purge(struct cli *cli, int argc, char **argv)
{
	struct cli_args args;
	struct store_purge p;
	struct settings *s;
	int r;

	if (cli_args_parse(cli, argc, argv, 0, &args) != CLI_DONE || purge_of(cli, &args, &p) != CLI_DONE)
		return CLI_USAGE;
	s = cli_settings(cli);
	if (!s)
		return CLI_SETTINGS;
	r = p.kind == STORE_PURGE_DOMAIN ? check_domain(cli, p.what.p) : CLI_DONE;
	if (r == CLI_DONE)
		r = purge(cli, s, &p);
	settings_unref(s);
	return r;
}

/* ---- stat ---- */

static void print_numbers(struct cli *cli, json_t *n)
{
	const char *key;
	json_t *value;
	char size[FMT_SIZE];

	json_object_foreach(n, key, value)
	{
		if (!json_is_integer(value))
			continue;
		if (span_starts(span_of(key), SPAN("bytes"))) {
			fmt_size_rough((uint64_t)json_integer_value(value), size);
			fprintf(cli->out, "%-12s %s\n", key, size);
		} else {
			fprintf(cli->out, "%-12s %lld\n", key, (long long)json_integer_value(value));
		}
	}
}

static int show_stat(struct cli *cli, const struct settings *s, const char *path)
{
	unsigned http;
	int error;
	json_t *n = cli_ask(s, "GET", path, NULL, &http, &error);

	if (!n)
		return cli_unreachable(cli, s, error);
	if (http != 200)
		cli_fault_json(cli, cli->err, json_array_get(json_object_get(n, "faults"), 0));
	else if (cli->json)
		cli_print_json(cli, json_incref(n));
	else
		print_numbers(cli, n);
	json_decref(n);
	return http == 200 ? CLI_DONE : CLI_FOUND;
}

int cli_cache_stat(struct cli *cli, int argc, char **argv)
{
	struct buf path = BUF_INIT(1024);
	struct cli_args args;
	struct settings *s;
	struct span name;
	struct arena a;
	int r;

	if (cli_args_parse(cli, argc, argv, 0, &args) != CLI_DONE)
		return CLI_USAGE;
	arena_init(&a, 1024);
	buf_add_text(&path, "/cache/stat");
	if (cli_arg(&args, "--domain")) {
		if (domain_name_normalise(span_of(cli_arg(&args, "--domain")), false, &a, &name) < 0)
			name = SPAN("-");
		buf_addf(&path, "?%.*s", SPAN_ARG(name));
	}
	arena_done(&a);
	s = cli_settings(cli);
	r = s ? show_stat(cli, s, buf_text(&path)) : CLI_SETTINGS;
	settings_unref(s);
	buf_done(&path);
	return r;
}
