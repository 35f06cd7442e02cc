/*
 * The flat list: what fed a hoster's name server so far becomes domains.
 *
 *   example.de      192.0.2.10
 *   www.example.de  192.0.2.10        # joins example.de: one site, two names
 *   shop.example.de 2001:db8::10
 *
 * Reading is pure and finds every fault; planning compares with the store. A name is looked for
 * among the domains first, then among the web names of all domains: there it is fine if the owner
 * has just this origin, and a fault if not, because whose settings should win is not ours to say.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include "base/map.h"
#include "base/mem.h"
#include "domain/domain_priv.h"
#include "domain/list.h"

#define LINES_MAX DOMAINS_MAX

/* ---- reading ---- */

struct reading {
	const char *file;
	struct arena *a;
	struct conf_errors *errors;
	struct domain_list *list;
	struct map names; /* -> index + 1 in list */
};

static struct fault *add_fault(struct reading *rd, unsigned line, enum fault_code code, struct span text)
{
	struct fault *f = errors_add(rd->errors, rd->a, code);

	fault_fact(f, "file", "%s", rd->file);
	fault_fact(f, "line", "%u", line);
	fault_fact(f, "text", "%.*s", SPAN_ARG(span_sub(text, 0, 200)));
	return f;
}

static bool next_word(struct span *rest, struct span *ret)
{
	size_t n = 0;

	*rest = span_trim(*rest);
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	*ret = span_sub(*rest, 0, n);
	*rest = span_from(*rest, n);
	return n > 0;
}

/* "192.0.2.10", "192.0.2.10:8080", "2001:db8::10", "[2001:db8::10]:8080" */
static const char *parse_address(struct span text, struct arena *a, struct origin_spec *ret)
{
	static const char no_address[] = "the second word is no IP address|das zweite Wort ist keine IP-Adresse";
	ptrdiff_t colon = span_index(text, ':');
	bool bare_v6 = colon >= 0 && text.p[0] != '[' && span_index(span_from(text, (size_t)colon + 1), ':') >= 0;
	struct span url = arena_spanf(a, bare_v6 ? "http://[%.*s]" : "http://%.*s", SPAN_ARG(text));
	char host[NAME_MAX_BYTES + 1], shortest[INET6_ADDRSTRLEN];
	struct in6_addr binary;
	const char *why;
	bool v6;

	if (span_ends(text, SPAN("/")) || span_index(text, '\0') >= 0 || origin_spec_parse(url, ret, &why) < 0)
		return no_address;
	snprintf(host, sizeof(host), "%.*s", SPAN_ARG(ret->host));
	v6 = inet_pton(AF_INET6, host, &binary) == 1;
	if (!v6 && inet_pton(AF_INET, host, &binary) != 1)
		return no_address;
	if (v6)
		ret->host = arena_span(a, span_of(inet_ntop(AF_INET6, &binary, shortest, sizeof(shortest))));
	return NULL;
}

static const char *parse_words(struct reading *rd, struct span text, struct domain_list_line *ret)
{
	char name[NAME_MAX_BYTES + 2];
	struct span word, rest = text;
	const char *why;
	size_t n;

	next_word(&rest, &word);
	why = name_normalise(word, false, name, &n);
	if (why)
		return why;
	ret->name = arena_span(rd->a, span_make(name, n));
	if (!next_word(&rest, &word))
		return "the address is missing|die Adresse fehlt";
	why = parse_address(word, rd->a, &ret->origin);
	if (!why && next_word(&rest, &word))
		why = "there are more than two words|es sind mehr als zwei Wörter";
	return why;
}

static void add_line(struct reading *rd, const struct domain_list_line *line, struct span text)
{
	struct domain_list *list = rd->list;
	uintptr_t first = (uintptr_t)map_find(&rd->names, line->name);
	struct fault *f;

	if (first) {
		f = add_fault(rd, line->line, FAULT_DOMAIN_LIST_TWICE, text);
		fault_fact(f, "name", "%.*s", SPAN_ARG(line->name));
		fault_fact(f, "first", "%u", list->v[first - 1].line);
		return;
	}
	if (list->n == list->room) {
		struct domain_list_line *old = list->v;

		list->room = list->room ? list->room * 2 : 64;
		list->v = arena_array(rd->a, struct domain_list_line, list->room);
		if (list->n > 0)
			memcpy(list->v, old, list->n * sizeof(*old));
	}
	list->v[list->n++] = *line;
	map_put(&rd->names, line->name, (void *)(uintptr_t)list->n);
}

static void read_line(struct reading *rd, struct span text, unsigned number)
{
	struct domain_list_line line = { .line = number };
	ptrdiff_t comment = span_index(text, '#');
	const char *why;

	if (span_ends(text, SPAN("\r")))
		text.n--;
	text = span_trim(comment < 0 ? text : span_sub(text, 0, (size_t)comment));
	if (text.n == 0)
		return;
	why = rd->list->n == LINES_MAX ? "the list is too long|die Liste ist zu lang" : parse_words(rd, text, &line);
	if (why)
		errors_why(add_fault(rd, number, FAULT_DOMAIN_LIST_LINE, text), why);
	else
		add_line(rd, &line, text);
}

static bool is_same_origin(const struct origin_spec *a, const struct origin_spec *b)
{
	return a->tls == b->tls && a->port == b->port && span_eq(a->host, b->host);
}

static void join_www(struct reading *rd)
{
	struct domain_list *list = rd->list;

	for (unsigned i = 0; i < list->n; i++) {
		struct domain_list_line *line = &list->v[i];
		struct span name = span_from(line->name, 4);
		uintptr_t bare;

		/* "www.www.x" joins nothing: "www.x" may have joined x. */
		if (!span_starts(line->name, SPAN("www.")) || span_starts(name, SPAN("www.")))
			continue;
		bare = (uintptr_t)map_find(&rd->names, name);
		line->joined = bare && is_same_origin(&line->origin, &list->v[bare - 1].origin);
	}
}

int domain_list_parse(struct span text, const char *file, struct arena *a, struct domain_list *ret,
	struct conf_errors *errors)
{
	struct reading rd = { .file = file, .a = a, .errors = errors, .list = ret };
	struct span line;

	*errors = (struct conf_errors){ 0 };
	*ret = (struct domain_list){ 0 };
	map_init(&rd.names);
	for (unsigned number = 1; span_cut(&text, '\n', &line); number++)
		read_line(&rd, line, number);
	join_www(&rd);
	map_done(&rd.names);
	return errors->n ? -EINVAL : 0;
}

/* ---- planning ---- */

/* A domain that is there or comes. */
struct site {
	struct domain d;
	struct span before; /* its body in the store; .p == NULL: it is new */
	bool touched;
};
struct planning {
	struct reading rd;
	struct map sites; /* by domain name */
	struct map web;   /* by web name */
	struct fault *fault;
};

/* A row that does not parse stays as it is, unless the list wants its name: then it begins anew. */
static void take_row(struct planning *p, const struct row *row)
{
	struct site *site = arena_new(p->rd.a, struct site);
	struct conf_errors errors;

	site->before = row->body;
	if (domain_parse_body(row->name, row->body, p->rd.a, &site->d, &errors) < 0 &&
		domain_parse_body(row->name, (struct span){ 0 }, p->rd.a, &site->d, &errors) < 0)
		return;
	map_put(&p->sites, row->name, site);
	for (unsigned i = 0; i < site->d.web_n; i++)
		map_put(&p->web, site->d.web[i], site);
}

static struct site *site_of(struct planning *p, struct span name)
{
	struct site *site = map_find(&p->sites, name);
	struct conf_errors errors;
	int r;

	if (site)
		return site;
	site = arena_new(p->rd.a, struct site);
	r = domain_parse_body(name, (struct span){ 0 }, p->rd.a, &site->d, &errors);
	must(r == 0);
	map_put(&p->sites, site->d.name, site);
	return site;
}

static bool serves_only(const struct domain *d, const struct origin_spec *origin)
{
	return d->origin_n == 1 && is_same_origin(&d->origin[0], origin);
}

static void add_web(struct planning *p, struct site *site, struct span name)
{
	struct span *web = arena_array(p->rd.a, struct span, site->d.web_n + 1);

	if (site->d.web_n > 0)
		memcpy(web, site->d.web, site->d.web_n * sizeof(*web));
	web[site->d.web_n++] = name;
	site->d.web = web;
	map_put(&p->web, name, site);
}

static void refuse_taken(struct planning *p, const struct domain_list_line *line, struct span owner)
{
	_cleanup_(buf_done) struct buf origin = BUF_INIT(512);
	struct fault *f;

	origin_spec_print(&line->origin, &origin);
	f = add_fault(&p->rd, line->line, FAULT_DOMAIN_LIST_TAKEN, buf_span(&origin));
	fault_fact(f, "name", "%.*s", SPAN_ARG(line->name));
	fault_fact(f, "owner", "%.*s", SPAN_ARG(owner));
}

/* The domain that a line belongs to: its own, or for a joined "www.x" that of x. */
static void plan_line(struct planning *p, const struct domain_list_line *line)
{
	struct span home = line->joined ? span_from(line->name, 4) : line->name;
	struct site *owner = map_find(&p->web, line->name), *site;

	if (owner && !span_eq(owner->d.name, home)) {
		if (!serves_only(&owner->d, &line->origin))
			refuse_taken(p, line, owner->d.name);
		return;
	}
	site = site_of(p, home);
	site->touched = true;
	if (!serves_only(&site->d, &line->origin)) {
		site->d.origin = arena_new(p->rd.a, struct origin_spec);
		*site->d.origin = line->origin;
		site->d.origin_n = 1;
	}
	if (!owner && site->d.web_n == DOMAIN_WEB_MAX)
		errors_why(add_fault(&p->rd, line->line, FAULT_DOMAIN_LIST_LINE, line->name),
			"its domain has the most web names possible|ihre Domain hat schon die meisten möglichen Webnamen");
	else if (!owner)
		add_web(p, site, line->name);
}

static void plan_list(struct planning *p, const struct store_rows *rows, struct change_plan *plan)
{
	struct domain_list *list = p->rd.list;

	map_init(&p->sites);
	map_init(&p->web);
	for (unsigned i = 0; i < rows->n; i++)
		take_row(p, &rows->v[i]);
	for (unsigned i = 0; i < list->n; i++)
		plan_line(p, &list->v[i]);
	for (unsigned i = 0; i < list->n; i++) {
		struct site *site = map_find(&p->sites, list->v[i].name);

		if (!site || !site->touched)
			continue;
		site->touched = false;
		change_add(plan, p->rd.a, site->d.name, site->before, &site->d);
	}
	map_done(&p->sites);
	map_done(&p->web);
}

int domain_import(struct store *s, struct span text, const char *file, bool dry_run, const char *by, struct arena *a,
	struct domain_change **ret, struct conf_errors *errors, struct fault *fault)
{
	struct domain_list list;
	struct planning p = { .rd = { .file = file, .a = a, .errors = errors, .list = &list } };
	struct change_plan plan = { 0 };
	struct store_rows rows;
	int r = domain_list_parse(text, file, a, &list, errors);

	if (r == 0 && !dry_run)
		r = store_begin(s, fault);
	if (r == 0)
		r = store_rows_read(s, a, &rows, fault);
	if (r == 0) {
		plan_list(&p, &rows, &plan);
		*ret = plan.changes;
		r = errors->n ? -EINVAL : 0;
	}
	return change_end(s, &plan, r, dry_run, by, fault);
}
