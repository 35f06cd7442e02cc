/*
 * torhaus mail peers [--failed]: which mail servers come, how, and what came of it.
 *
 * Peers are kept in the store by network and EHLO name (evidence/evidence.h), with the ClientHellos
 * that they sent, so this works with or without a running server. With --failed each has the cause
 * of its last failed handshake in full, and what it offers.
 */
#include <errno.h>
#include <string.h>
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "cli/cli_priv.h"
#include "cli/domain_work.h"
#include "store/evidence.h"
#include "tls/explain.h"

#define HELO_COLUMN 40 /* longer names are cut in the table */
#define LINE_WIDTH  100

/* Of the list of suites, but none (RFC 5746, 7507). */
#define RENEGOTIATION_SCSV 0x00ff
#define FALLBACK_SCSV      0x5600

struct kept_hello {
	struct store_hello h;
	struct kept_hello *next; /* the last seen first */
};
struct kept_peer {
	struct store_peer p;
	struct kept_hello *hellos, **last;
};
struct peers {
	struct work w;
	struct kept_peer *v;
	unsigned n, room;
	struct map by_key;
};

/* ---- reading ---- */

static struct span key_of(struct peers *ps, const struct store_peer *p)
{
	return arena_spanf(&ps->w.arena, "%.*s\n%.*s", SPAN_ARG(p->network), SPAN_ARG(p->helo));
}

static int keep_peer(void *arg, const struct store_peer *p)
{
	struct peers *ps = arg;
	struct kept_peer *k;

	if (ps->n == ps->room) {
		ps->room = ps->room ? ps->room * 2 : 64;
		ps->v = mem_resize(ps->v, ps->room, sizeof(*ps->v));
	}
	k = &ps->v[ps->n++];
	*k = (struct kept_peer){ .p = *p };
	store_peer_keep(&ps->w.arena, &k->p);
	return 0;
}

static int keep_hello(void *arg, const struct store_peer *p, const struct store_hello *h)
{
	struct peers *ps = arg;
	struct kept_peer *k = map_find(&ps->by_key, key_of(ps, p));
	struct kept_hello *kept;

	if (!k)
		return 0;
	kept = arena_new(&ps->w.arena, struct kept_hello);
	kept->h = *h;
	store_hello_keep(&ps->w.arena, &kept->h);
	*k->last = kept;
	k->last = &kept->next;
	return 0;
}

static int read_peers(struct peers *ps, bool failed)
{
	int r = store_peer_each(ps->w.store, failed, keep_peer, ps, &ps->w.fault);

	/* By now v stays where it is. */
	for (unsigned i = 0; i < ps->n; i++) {
		ps->v[i].last = &ps->v[i].hellos;
		map_put(&ps->by_key, key_of(ps, &ps->v[i].p), &ps->v[i]);
	}
	if (r == 0 && (failed || ps->w.cli->json))
		r = store_hello_each(ps->w.store, keep_hello, ps, &ps->w.fault);
	return r < 0 ? work_refuse(&ps->w) : CLI_DONE;
}

/* ---- the table ---- */

static struct span helo_of(const struct kept_peer *k)
{
	return k->p.helo.n > 0 ? span_sub(k->p.helo, 0, HELO_COLUMN) : SPAN("-");
}

static void print_table(struct peers *ps)
{
	struct buf *out = &ps->w.out;
	int network = 7, helo = 4;
	char seen[32];

	for (unsigned i = 0; i < ps->n; i++) {
		network = (int)ps->v[i].p.network.n > network ? (int)ps->v[i].p.network.n : network;
		helo = (int)helo_of(&ps->v[i]).n > helo ? (int)helo_of(&ps->v[i]).n : helo;
	}
	if (ps->n == 0)
		return;
	buf_addf(out, "%-*s  %-*s  %-16s  %-7s  %8s  %7s  %9s  %7s  %s\n", network, work_say(&ps->w, "NETWORK", "NETZ"),
		helo, "EHLO", work_say(&ps->w, "LAST SEEN", "ZULETZT GESEHEN"), "TLS", "TLS OK",
		work_say(&ps->w, "FAILED", "FEHLER"), work_say(&ps->w, "REFUSED", "ABGELEHNT"), "MAILS",
		work_say(&ps->w, "WITHOUT TLS", "OHNE TLS"));
	for (unsigned i = 0; i < ps->n; i++) {
		const struct store_peer *p = &ps->v[i].p;

		clock_minute(p->last_at, seen);
		buf_addf(out, "%-*.*s  %-*.*s  %-16s  %-7.*s  %8llu  %7llu  %9llu  %7llu  %llu\n", network,
			SPAN_ARG(p->network), helo, SPAN_ARG(helo_of(&ps->v[i])), seen,
			SPAN_ARG(p->version.n > 0 ? p->version : SPAN("-")), (unsigned long long)p->handshakes,
			(unsigned long long)p->failures, (unsigned long long)p->refusals, (unsigned long long)p->mails,
			(unsigned long long)p->mails_clear);
	}
}

/* ---- what failed ---- */

/* The suite at *at of a hello, and on to the next; values that only signal something are left out.
 * False: no more. */
static bool next_suite(const struct tls_hello *h, size_t *at, struct span *ret_name)
{
	size_t step = h->v2 ? 3 : 2;

	while (*at + step <= h->suites.n) {
		const uint8_t *p = (const uint8_t *)h->suites.p + *at + step - 2;
		uint16_t suite = (uint16_t)(p[0] << 8 | p[1]);

		*at += step;
		if (suite == FALLBACK_SCSV || suite == RENEGOTIATION_SCSV ||
			((suite & 0x0f0f) == 0x0a0a && p[0] == p[1]))
			continue;
		*ret_name = span_of(tls_suite_text(suite));
		return true;
	}
	return false;
}

static void print_offer(struct peers *ps, const struct kept_hello *k)
{
	size_t at = 0, n = 0, width = LINE_WIDTH;
	struct buf *out = &ps->w.out;
	struct tls_hello h;
	struct span name;

	if (tls_hello_parse(k->h.bytes, &ps->w.arena, &h) < 0)
		return;
	while (next_suite(&h, &at, &name))
		n++;
	buf_addf(out, work_say(&ps->w, "  offers:  at most %s, %zu suites:", "  bietet:  höchstens %s, %zu Suiten:"),
		tls_version_text(tls_hello_version(&h)), n);
	for (at = 0; next_suite(&h, &at, &name);) {
		if (width + 1 + name.n > LINE_WIDTH) {
			buf_add_text(out, "\n   ");
			width = 3;
		}
		buf_addf(out, " %.*s", SPAN_ARG(name));
		width += 1 + name.n;
	}
	buf_add_char(out, '\n');
}

static const struct kept_hello *failed_hello(const struct kept_peer *k)
{
	const struct kept_hello *h = k->hellos;

	while (h && h->h.failed == 0)
		h = h->next;
	return h;
}

static void print_since(struct peers *ps, const struct store_peer *p)
{
	struct work *w = &ps->w;

	buf_addf(&w->out,
		work_say(w, "  in all:  handshakes failed: %llu, succeeded: %llu",
			"  gesamt:  Handshakes gescheitert: %llu, gelungen: %llu"),
		(unsigned long long)p->failures, (unsigned long long)p->handshakes);
	if (p->version.n > 0)
		buf_addf(&w->out, work_say(w, " (the last with %.*s)", " (zuletzt mit %.*s)"), SPAN_ARG(p->version));
	buf_addf(&w->out,
		work_say(w, "; recipients refused without TLS: %llu; mails: %llu\n",
			"; Empfänger ohne TLS abgelehnt: %llu; Mails: %llu\n"),
		(unsigned long long)p->refusals, (unsigned long long)p->mails);
}

static void print_failed(struct peers *ps, const struct kept_peer *k)
{
	const struct kept_hello *hello = failed_hello(k);
	struct work *w = &ps->w;
	struct fault f;
	char at[32];

	clock_minute(k->p.failed_at, at);
	buf_addf(&w->out, "%s%.*s  %.*s%s  (%.*s, %s %s)\n", cli_bold(w->cli), SPAN_ARG(k->p.address),
		SPAN_ARG(k->p.helo.n > 0 ? k->p.helo : SPAN("-")), cli_plain(w->cli), SPAN_ARG(k->p.network),
		work_say(w, "failed", "gescheitert"), at);
	if (fault_unpack(k->p.fault, &w->arena, &f) == 0) {
		buf_addf(&w->out, "  code:    %s%s%s\n", cli_red(w->cli), fault_code_text(f.code), cli_plain(w->cli));
		buf_add_text(&w->out, work_say(w, "  cause:   ", "  Ursache: "));
		fault_cause(&f, w->cli->lang, &w->out);
		buf_add_text(&w->out, work_say(w, "\n  remedy:  ", "\n  Abhilfe: "));
		fault_remedy(&f, w->cli->lang, &w->out);
		buf_add_char(&w->out, '\n');
	} else {
		buf_addf(&w->out, "  code:    %.*s\n", (int)span_index(k->p.fault, '\n') + 1, k->p.fault.p);
	}
	if (hello)
		print_offer(ps, hello);
	print_since(ps, &k->p);
}

/* ---- JSON ---- */

static void json_hello(struct peers *ps, struct jsonw *j, const struct kept_hello *k)
{
	_cleanup_(buf_done) struct buf hex = BUF_INIT(2 * STORE_HELLO_BYTES);
	struct tls_hello h;
	struct span name;
	size_t at = 0;

	jsonw_object(j, NULL);
	jsonw_uint(j, "succeeded", k->h.succeeded);
	jsonw_uint(j, "failed", k->h.failed);
	jsonw_time(j, "first_at", k->h.first_at);
	jsonw_time(j, "last_at", k->h.last_at);
	if (tls_hello_parse(k->h.bytes, &ps->w.arena, &h) == 0) {
		jsonw_text(j, "version_max", tls_version_text(tls_hello_version(&h)));
		jsonw_span(j, "name", h.sni);
		jsonw_array(j, "suites");
		while (next_suite(&h, &at, &name))
			jsonw_span(j, NULL, name);
		jsonw_end(j);
	}
	buf_add_hex(&hex, k->h.bytes.p, k->h.bytes.n);
	jsonw_span(j, "hello", buf_span(&hex));
	jsonw_end(j);
}

static void json_peer(struct peers *ps, struct jsonw *j, const struct kept_peer *k)
{
	const struct store_peer *p = &k->p;
	struct fault f;

	jsonw_object(j, NULL);
	jsonw_span(j, "network", p->network);
	jsonw_span(j, "helo", p->helo);
	jsonw_span(j, "address", p->address);
	jsonw_time(j, "first_at", p->first_at);
	jsonw_time(j, "last_at", p->last_at);
	jsonw_uint(j, "handshakes", p->handshakes);
	jsonw_uint(j, "failures", p->failures);
	jsonw_uint(j, "refusals", p->refusals);
	jsonw_uint(j, "mails", p->mails);
	jsonw_uint(j, "mails_clear", p->mails_clear);
	jsonw_span(j, "tls", p->version);
	jsonw_span(j, "suite", p->suite);
	jsonw_span(j, "key", p->key);
	jsonw_time(j, "failed_at", p->failed_at);
	if (p->failed_at && fault_unpack(p->fault, &ps->w.arena, &f) == 0)
		fault_json(j, "fault", &f);
	jsonw_span(j, "proof", p->proof);
	jsonw_array(j, "hellos");
	for (const struct kept_hello *h = k->hellos; h; h = h->next)
		json_hello(ps, j, h);
	jsonw_end(j);
	jsonw_end(j);
}

static void print_json(struct peers *ps)
{
	struct jsonw j;

	jsonw_init(&j, &ps->w.out);
	jsonw_object(&j, NULL);
	jsonw_text(&j, "schema", "torhaus.mail-peers/1");
	jsonw_array(&j, "peers");
	for (unsigned i = 0; i < ps->n; i++)
		json_peer(ps, &j, &ps->v[i]);
	jsonw_end(&j);
	jsonw_end(&j);
	buf_add_char(&ps->w.out, '\n');
}

/* ---- the verb ---- */

static void print(struct peers *ps, bool failed)
{
	if (ps->w.cli->json)
		print_json(ps);
	else if (!failed)
		print_table(ps);
	else
		for (unsigned i = 0; i < ps->n; i++) {
			buf_add_text(&ps->w.out, i > 0 ? "\n" : "");
			print_failed(ps, &ps->v[i]);
		}
	if (ps->n == 0 && !ps->w.cli->json)
		fprintf(ps->w.cli->err, "%s\n",
			failed ? work_say(&ps->w, "No handshake failed.", "Kein Handshake ist gescheitert.")
			       : work_say(&ps->w, "No mail server came so far.", "Bisher kam kein Mailserver."));
}

int cli_mail_peers(struct cli *cli, int argc, char **argv)
{
	struct cli_args args;
	struct peers ps = { 0 };
	bool failed;
	int status;

	if (cli_args_parse(cli, argc, argv, 0, &args) != CLI_DONE)
		return CLI_USAGE;
	failed = cli_arg(&args, "--failed") != NULL;
	map_init(&ps.by_key);
	status = work_begin(&ps.w, cli);
	if (status == CLI_DONE)
		status = read_peers(&ps, failed);
	if (status == CLI_DONE)
		print(&ps, failed);
	if (status == CLI_DONE && failed && ps.n > 0)
		status = CLI_FOUND;
	map_done(&ps.by_key);
	mem_free(ps.v);
	return work_end(&ps.w, status);
}
