/*
 * torhaus domain add, set.
 *
 * The given options are put into the domain's text form, key by key, and that is judged like any
 * file: there is one parser and one set of messages.
 */
#include <limits.h>
#include <string.h>
#include "base/mem.h"
#include "cli/cli_priv.h"
#include "cli/domain_work.h"

#define VALUES_MAX DOMAIN_WEB_MAX

/* ---- options made from the table of keys ---- */

struct edit {
	const char *name;
	struct {
		const char *v[VALUES_MAX];
		unsigned n;
	} given[CONF_KEYS_MAX];
};

void cli_domain_option_name(const struct conf_key *key, char ret[64])
{
	snprintf(ret, 64, "--%s", key->name);
	for (char *p = ret; *p; p++)
		if (*p == '_')
			*p = '-';
}

/* The index of the key whose option text is, up to a "="; -1 if there is none. */
static int find_option(struct span text, const char **ret_nearest)
{
	static char nearest[64];
	unsigned best = UINT_MAX;
	char option[64];

	*ret_nearest = NULL;
	for (int i = 0; domain_keys[i].name; i++) {
		cli_domain_option_name(&domain_keys[i], option);
		if (span_eq(text, span_of(option)))
			return i;
		if (cli_is_near(text, option, &best)) {
			snprintf(nearest, sizeof(nearest), "%s", option);
			*ret_nearest = nearest;
		}
	}
	return -1;
}

/* One option with its value, which stands behind a "=" or is the next argument. The arguments
 * taken, or 0 after telling what is wrong. */
static int take_option(struct cli *cli, struct edit *e, int argc, char **argv)
{
	struct span rest = span_of(argv[0]), option;
	const char *nearest, *value;
	int i;

	span_cut(&rest, '=', &option);
	i = find_option(option, &nearest);
	if (i < 0) {
		cli_unknown_option(cli, option, nearest);
		return 0;
	}
	value = rest.p ? rest.p : argc > 1 ? argv[1] : NULL;
	if (!value) {
		cli_usage(cli, "%.*s needs a value", "%.*s braucht einen Wert", SPAN_ARG(option));
		return 0;
	}
	if (e->given[i].n == (domain_keys[i].type == CONF_LIST ? VALUES_MAX : 1)) {
		cli_usage(cli, "%.*s stands too often", "%.*s steht zu oft", SPAN_ARG(option));
		return 0;
	}
	e->given[i].v[e->given[i].n++] = value;
	return rest.p ? 1 : 2;
}

static int parse_edit(struct cli *cli, int argc, char **argv, struct edit *e)
{
	for (int i = 0, taken; i < argc; i += taken) {
		taken = 1;
		if (span_starts(span_of(argv[i]), SPAN("--"))) {
			taken = take_option(cli, e, argc - i, argv + i);
			if (taken == 0)
				return CLI_USAGE;
		} else if (e->name) {
			return cli_usage(cli, "one domain at a time: %s, %s", "nur eine Domain auf einmal: %s, %s",
				e->name, argv[i]);
		} else {
			e->name = argv[i];
		}
	}
	return e->name ? CLI_DONE : cli_usage(cli, "the name of the domain is missing", "der Name der Domain fehlt");
}

/* The body: what was given, and for the other keys what d (may be NULL) has. One empty value
 * empties a list. */
static void compose(const struct edit *e, const struct domain *d, struct buf *out)
{
	for (unsigned i = 0; domain_keys[i].name; i++) {
		bool list = domain_keys[i].type == CONF_LIST;
		unsigned n = e->given[i].n;

		if (n == 0) {
			if (d)
				domain_export_key(d, &domain_keys[i], out);
			continue;
		}
		if (list && n == 1 && !*e->given[i].v[0])
			n = 0;
		buf_addf(out, "%s = %s", domain_keys[i].name, list ? "{" : "");
		for (unsigned k = 0; k < n; k++) {
			buf_add_text(out, k > 0 ? ", " : "");
			conf_quote(out, span_of(e->given[i].v[k]));
		}
		buf_add_text(out, list ? "}\n" : "\n");
	}
}

/* What does not fit, of the option that was typed: the text that was made of it is no file. */
static void tell_option(struct cli *cli, const struct fault *f)
{
	static const char *const kept[] = { "value", "why", "why_de", "wanted", "wanted_de" };
	struct span key = fault_value(f, "key");
	struct fault told;
	char option[64];

	for (unsigned i = 0; domain_keys[i].name; i++) {
		if (f->code != FAULT_SETTINGS_BAD_VALUE || !span_eq(span_of(domain_keys[i].name), key))
			continue;
		cli_domain_option_name(&domain_keys[i], option);
		fault_set(&told, FAULT_DOMAIN_OPTION_BAD_VALUE);
		fault_fact(&told, "option", "%s", option);
		for (unsigned k = 0; k < array_len(kept); k++)
			fault_fact(&told, kept[k], "%.*s", SPAN_ARG(fault_value(f, kept[k])));
		cli_fault(cli, &told);
		return;
	}
	cli_fault_placeless(cli, f);
}

/* Judges, writes and commits the domain; begun already. */
static int write_edit(struct work *w, const struct edit *e, struct span name, const struct domain *before,
	struct domain *ret)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(CONF_BYTES_MAX);
	struct conf_errors errors;

	compose(e, before, &body);
	if (domain_parse_body(name, buf_span(&body), &w->arena, ret, &errors) < 0) {
		store_rollback(w->store);
		for (unsigned i = 0; i < errors.n; i++)
			tell_option(w->cli, &errors.v[i]);
		return CLI_USAGE;
	}
	if (domain_put(w->store, ret, work_changed_by(w), &w->fault) < 0 || store_commit(w->store, &w->fault) < 0)
		return work_refuse(w);
	return CLI_DONE;
}

static struct span body_of(struct work *w, const struct domain *d)
{
	_cleanup_(buf_done) struct buf body = BUF_INIT(STORE_TEXT_MAX);

	domain_export_body(d, &body);
	return arena_span(&w->arena, buf_span(&body));
}

/* ---- add, set ---- */

/* The index of a key in domain_keys. */
static unsigned key_at(const char *name)
{
	unsigned i = 0;

	while (strcmp(domain_keys[i].name, name) != 0)
		i++;
	return i;
}

/* Without --web a domain is visited under its name and, if that is an ordinary one, under www.NAME;
 * one that has mail and no origin is not visited. */
static void give_web(struct work *w, struct edit *e, struct span name)
{
	unsigned web = key_at("web");
	uint64_t number;
	bool is_address = span_to_u64(span_from(name, name.n - 1), &number) == 0;

	if (e->given[web].n > 0 || (e->given[key_at("origin")].n == 0 && e->given[key_at("mail")].n > 0))
		return;
	e->given[web].v[e->given[web].n++] = arena_text(&w->arena, name);
	if (!span_starts(name, SPAN("www.")) && span_index(name, '.') > 0 && !is_address && name.n + 4 <= 253)
		e->given[web].v[e->given[web].n++] = arena_spanf(&w->arena, "www.%.*s", SPAN_ARG(name)).p;
	if (!w->cli->json)
		fprintf(w->cli->err, "%s%s%s (%s)\n", work_say(w, "web names: ", "Webnamen: "), e->given[web].v[0],
			e->given[web].n > 1 ? arena_spanf(&w->arena, ", %s", e->given[web].v[1]).p : "",
			work_say(w, "--web NAME chooses others", "--web NAME wählt andere"));
}

static int add_domain(struct work *w, struct edit *e)
{
	struct domain_change c = { .kind = DOMAIN_ADDED };
	struct domain d;
	int r;

	if (!work_find_name(w, e->name, &c.name))
		return CLI_USAGE;
	if (store_begin(w->store, &w->fault) < 0)
		return work_refuse(w);
	r = work_has(w, c.name);
	if (r > 0) {
		fault_set(&w->fault, FAULT_DOMAIN_EXISTS);
		fault_fact(&w->fault, "domain", "%.*s", SPAN_ARG(c.name));
		work_refuse(w);
		return CLI_FOUND;
	}
	if (r < 0)
		return work_refuse(w);
	give_web(w, e, c.name);
	r = write_edit(w, e, c.name, NULL, &d);
	if (r != CLI_DONE)
		return r;
	c.after = body_of(w, &d);
	work_print_changes(w, "torhaus.domain-add/1", &c, 1, false);
	return CLI_DONE;
}

static int set_domain(struct work *w, struct edit *e)
{
	struct domain_change c = { .kind = DOMAIN_CHANGED };
	struct reading rd = { .w = w };
	struct domain d;
	int r;

	if (!work_find_name(w, e->name, &c.name))
		return CLI_USAGE;
	if (store_begin(w->store, &w->fault) < 0)
		return work_refuse(w);
	r = work_read_one(&rd, c.name);
	if (r == CLI_DONE)
		r = write_edit(w, e, c.name, &rd.rows[0].d, &d);
	if (r == CLI_DONE) {
		c.before = body_of(w, &rd.rows[0].d);
		c.after = body_of(w, &d);
		work_print_changes(w, "torhaus.domain-set/1", &c, 1, false);
	}
	mem_free(rd.rows);
	return r;
}

static int run_edit(struct cli *cli, int argc, char **argv, int (*run)(struct work *, struct edit *))
{
	_cleanup_(mem_freep) struct edit *e = mem_new(struct edit);
	struct work w;
	int status = parse_edit(cli, argc, argv, e);

	if (status != CLI_DONE)
		return status;
	status = work_begin(&w, cli);
	return work_end(&w, status == CLI_DONE ? run(&w, e) : status);
}

int cli_domain_add(struct cli *cli, int argc, char **argv)
{
	return run_edit(cli, argc, argv, add_domain);
}

int cli_domain_set(struct cli *cli, int argc, char **argv)
{
	return run_edit(cli, argc, argv, set_domain);
}
