/*
 * torhaus recipient set | list | remove: recipients for whom another encryption is required than
 * for their domain.
 *
 * They are a list in the text form of the domain, with who set each and when; a change is a change
 * of the domain.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "base/fmt.h"
#include "base/mem.h"
#include "cli/cli_priv.h"
#include "cli/domain_work.h"

#define DAY_S 86400

struct edit {
	struct work w;
	struct reading rd;
	struct span address, domain;
	struct domain d; /* with a list of its own, with room for one more */
};

/* ---- reading and writing the domain ---- */

static int parse_address(struct edit *e, const char *text)
{
	struct span en, de;
	const char *why;

	if (domain_address_normalise(span_of(text), &e->w.arena, &e->address, &e->domain, &why) == 0)
		return CLI_DONE;
	de = span_of(why);
	span_cut(&de, '|', &en);
	return cli_usage(e->w.cli, "%s: %.*s", "%s: %.*s", text,
		SPAN_ARG(e->w.cli->lang == FAULT_DE && de.p ? de : en));
}

/* The domain of the address, within a transaction. */
static int read_domain(struct edit *e)
{
	int status;

	e->rd.w = &e->w;
	if (store_begin(e->w.store, &e->w.fault) < 0)
		return work_refuse(&e->w);
	status = work_read_one(&e->rd, e->domain);
	if (status != CLI_DONE)
		return status;
	e->d = e->rd.rows[0].d;
	e->d.recipient = arena_array(&e->w.arena, struct domain_recipient, e->d.recipient_n + 1);
	for (unsigned i = 0; i < e->d.recipient_n; i++)
		e->d.recipient[i] = e->rd.rows[0].d.recipient[i];
	return CLI_DONE;
}

static struct span body_of(struct edit *e, const struct domain *d)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(STORE_TEXT_MAX);

	domain_export_body(d, &body);
	return arena_span(&e->w.arena, buf_span(&body));
}

static int write_domain(struct edit *e, const char *schema)
{
	struct domain_change c = { .kind = DOMAIN_CHANGED, .name = e->d.name };

	if (domain_put(e->w.store, &e->d, work_changed_by(&e->w), &e->w.fault) < 0 ||
		store_commit(e->w.store, &e->w.fault) < 0)
		return work_refuse(&e->w);
	c.before = body_of(e, &e->rd.rows[0].d);
	c.after = body_of(e, &e->d);
	work_print_changes(&e->w, schema, &c, 1, false);
	return CLI_DONE;
}

/* Where the address stands, or would stand. */
static unsigned place_of(const struct edit *e, bool *ret_found)
{
	unsigned i = 0;

	while (i < e->d.recipient_n && span_cmp(e->d.recipient[i].address, e->address) < 0)
		i++;
	*ret_found = i < e->d.recipient_n && span_eq(e->d.recipient[i].address, e->address);
	return i;
}

static int run_edit(struct cli *cli, const char *address, int (*change)(struct edit *e, const void *arg),
	const void *arg)
{
	struct edit *e = mem_new(struct edit);
	int status = work_begin(&e->w, cli);

	if (status == CLI_DONE)
		status = parse_address(e, address);
	if (status == CLI_DONE)
		status = read_domain(e);
	if (status == CLI_DONE)
		status = change(e, arg);
	mem_free(e->rd.rows);
	status = work_end(&e->w, status);
	mem_free(e);
	return status;
}

/* ---- set ---- */

static int level_of(struct cli *cli, const char *text, enum domain_tls *ret)
{
	for (unsigned i = DOMAIN_TLS_OFF; text && i <= DOMAIN_TLS_REQUIRE; i++)
		if (strcmp(text, domain_tls_text((enum domain_tls)i)) == 0) {
			*ret = (enum domain_tls)i;
			return CLI_DONE;
		}
	return cli_usage(cli, "--tls off, --tls report or --tls require is wanted",
		"--tls off, --tls report oder --tls require ist nötig");
}

static int until_of(struct cli *cli, const char *text, int64_t *ret)
{
	if (!text)
		return CLI_DONE;
	if (strlen(text) == 10 && clock_parse_rfc3339(span_of(text), ret) == 0 && *ret > 0) {
		if (domain_recipient_holds(&(struct domain_recipient){ .until = *ret }, clock_wall_s()))
			return CLI_DONE;
		return cli_usage(cli, "--until %s is over already; today is the earliest",
			"--until %s ist schon vorbei; frühestens geht heute", text);
	}
	return cli_usage(cli, "--until %s: that is no day of the form YYYY-MM-DD",
		"--until %s: das ist kein Tag der Form JJJJ-MM-TT", text);
}

/* Who makes the change, as it stands in the list: cut between characters, without blanks. */
static struct span changed_by(struct edit *e)
{
	char *name = mem_text(work_changed_by(&e->w));
	size_t n = 0, step;
	struct span by;

	for (char *p = name; *p; p++)
		if (*p == ' ')
			*p = '-';
	for (; (step = span_utf8(span_of(name + n))) > 0 && n + step <= DOMAIN_BY_MAX; n += step)
		;
	by = arena_span(&e->w.arena, span_make(name, n));
	mem_free(name);
	return by;
}

static int too_many(struct edit *e)
{
	fault_set(&e->w.fault, FAULT_DOMAIN_TOO_MANY);
	fault_fact(&e->w.fault, "domain", "%.*s", SPAN_ARG(e->d.name));
	fault_fact(&e->w.fault, "key", "recipient");
	fault_fact(&e->w.fault, "count", "%u", DOMAIN_RECIPIENT_MAX + 1);
	fault_fact(&e->w.fault, "most", "%u", DOMAIN_RECIPIENT_MAX);
	work_refuse(&e->w);
	return CLI_USAGE;
}

/* What was said on the command line. */
struct wish {
	enum domain_tls tls;
	int64_t until;
};

static int set_recipient(struct edit *e, const void *arg)
{
	const struct wish *wish = arg;
	bool found;
	unsigned at = place_of(e, &found);
	struct domain_recipient *r = &e->d.recipient[at];

	if (!found && e->d.recipient_n == DOMAIN_RECIPIENT_MAX)
		return too_many(e);
	if (!found)
		memmove(r + 1, r, (e->d.recipient_n++ - at) * sizeof(*r));
	*r = (struct domain_recipient){ .address = e->address,
		.tls = wish->tls,
		.by = changed_by(e),
		.at = clock_wall_s() / DAY_S * DAY_S,
		.until = wish->until };
	return write_domain(e, "torhaus.recipient-set/1");
}

int cli_recipient_set(struct cli *cli, int argc, char **argv)
{
	struct wish wish = { 0 };
	struct cli_args args;

	if (cli_args_parse(cli, argc, argv, 1, &args) != CLI_DONE)
		return CLI_USAGE;
	if (args.rest_n != 1)
		return cli_usage(cli, "the address of one recipient is wanted",
			"die Adresse eines Empfängers ist nötig");
	if (level_of(cli, cli_arg(&args, "--tls"), &wish.tls) != CLI_DONE ||
		until_of(cli, cli_arg(&args, "--until"), &wish.until) != CLI_DONE)
		return CLI_USAGE;
	return run_edit(cli, args.rest[0], set_recipient, &wish);
}

/* ---- remove ---- */

static int remove_recipient(struct edit *e, const void *arg)
{
	bool found;
	unsigned at = place_of(e, &found);
	struct domain_recipient *r = &e->d.recipient[at];

	(void)arg;
	if (!found) {
		fault_set(&e->w.fault, FAULT_RECIPIENT_UNKNOWN);
		fault_fact(&e->w.fault, "address", "%.*s", SPAN_ARG(e->address));
		fault_fact(&e->w.fault, "domain", "%.*s", SPAN_ARG(e->d.name));
		fault_fact(&e->w.fault, "tls", "%s", domain_tls_text(e->d.tls));
		work_refuse(&e->w);
		return CLI_FOUND;
	}
	memmove(r, r + 1, (--e->d.recipient_n - at) * sizeof(*r));
	return write_domain(e, "torhaus.recipient-remove/1");
}

int cli_recipient_remove(struct cli *cli, int argc, char **argv)
{
	struct cli_args args;

	if (cli_args_parse(cli, argc, argv, 1, &args) != CLI_DONE)
		return CLI_USAGE;
	if (args.rest_n != 1)
		return cli_usage(cli, "the address of one recipient is wanted",
			"die Adresse eines Empfängers ist nötig");
	return run_edit(cli, args.rest[0], remove_recipient, NULL);
}

/* ---- list ---- */

static void day_of(int64_t at, char ret[32])
{
	struct tm tm;
	time_t t = at;

	snprintf(ret, 32, "-");
	if (at > 0 && gmtime_r(&t, &tm))
		strftime(ret, 32, "%Y-%m-%d", &tm);
}

static void list_json(struct jsonw *j, const struct domain *d)
{
	char day[32];

	for (unsigned i = 0; i < d->recipient_n; i++) {
		const struct domain_recipient *r = &d->recipient[i];

		jsonw_object(j, NULL);
		jsonw_span(j, "address", r->address);
		jsonw_text(j, "tls", domain_tls_text(r->tls));
		jsonw_text(j, "domain_tls", domain_tls_text(d->tls));
		jsonw_span(j, "by", r->by);
		day_of(r->at, day);
		jsonw_text(j, "at", r->at ? day : NULL);
		day_of(r->until, day);
		jsonw_text(j, "until", r->until ? day : NULL);
		jsonw_bool(j, "holds", domain_recipient_holds(r, clock_wall_s()));
		jsonw_end(j);
	}
}

static void list_lines(struct work *w, const struct domain *d, int width)
{
	char since[32], until[32];

	for (unsigned i = 0; i < d->recipient_n; i++) {
		const struct domain_recipient *r = &d->recipient[i];

		day_of(r->at, since);
		day_of(r->until, until);
		buf_addf(&w->out, "%-*.*s  %-7s  %-10s  %-10s  %.*s%s\n", width, SPAN_ARG(r->address),
			domain_tls_text(r->tls), since, until, SPAN_ARG(r->by.n ? r->by : SPAN("-")),
			domain_recipient_holds(r, clock_wall_s()) ? "" : work_say(w, "  (over)", "  (vorbei)"));
	}
}

static void print_list(struct work *w, const struct reading *rd)
{
	struct jsonw j;
	int width = 0;

	if (w->cli->json) {
		jsonw_init(&j, &w->out);
		jsonw_object(&j, NULL);
		jsonw_text(&j, "schema", "torhaus.recipient-list/1");
		jsonw_array(&j, "recipients");
		for (unsigned i = 0; i < rd->n; i++)
			list_json(&j, &rd->rows[i].d);
		jsonw_end(&j);
		jsonw_end(&j);
		buf_add_char(&w->out, '\n');
		return;
	}
	for (unsigned i = 0; i < rd->n; i++)
		for (unsigned k = 0; k < rd->rows[i].d.recipient_n; k++)
			if ((int)rd->rows[i].d.recipient[k].address.n > width)
				width = (int)rd->rows[i].d.recipient[k].address.n;
	if (width > 0)
		buf_addf(&w->out, "%-*s  %-7s  %-10s  %-10s  %s\n",
			fmt_width(work_say(w, "RECIPIENT", "EMPFÄNGER"), width), work_say(w, "RECIPIENT", "EMPFÄNGER"),
			"TLS", work_say(w, "SINCE", "SEIT"), work_say(w, "UNTIL", "BIS"), work_say(w, "BY", "VON"));
	for (unsigned i = 0; i < rd->n; i++)
		list_lines(w, &rd->rows[i].d, width);
}

int cli_recipient_list(struct cli *cli, int argc, char **argv)
{
	struct cli_args args;
	struct span name;
	struct work w;
	struct reading rd = { .w = &w };
	int status;

	if (cli_args_parse(cli, argc, argv, 1, &args) != CLI_DONE)
		return CLI_USAGE;
	status = work_begin(&w, cli);
	if (status == CLI_DONE && args.rest_n == 1 && !work_find_name(&w, args.rest[0], &name))
		status = CLI_USAGE;
	if (status == CLI_DONE)
		status = args.rest_n == 1 ? work_read_one(&rd, name) : work_read_all(&rd);
	if (status == CLI_DONE || status == CLI_PARTLY)
		print_list(&w, &rd);
	mem_free(rd.rows);
	return work_end(&w, status);
}
