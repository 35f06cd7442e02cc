/*
 * From text to domains: everything that is judged beyond a single value, such as a web name that
 * two domains want.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/map.h"
#include "base/mem.h"
#include "domain/domain_priv.h"

struct parsing {
	const char *file;
	struct arena *a;
	struct conf_errors *errors;
	unsigned told;           /* faults that conf_parse() found */
	struct map web, domains; /* name -> struct seen */
};
struct seen {
	struct span text; /* of a web name: its domain; of a domain: as written */
	unsigned line;
};
/* One section, as conf_parse() left it. */
struct section {
	struct span title;
	struct domain_text *text;
	unsigned line, end; /* of its first line, and of the next section's */
};

static struct fault *add_fault(struct parsing *p, unsigned line, enum fault_code code, struct span domain)
{
	struct fault *f = errors_add(p->errors, p->a, code);

	fault_fact(f, "file", "%s", p->file);
	fault_fact(f, "line", "%u", line);
	fault_fact(f, "domain", "%.*s", SPAN_ARG(domain));
	return f;
}

/* Whatever their order and weights. */
static uint64_t origin_hash(const struct domain *d)
{
	uint64_t hash = span_hash(d->origin_host, 0);

	for (unsigned i = 0; i < d->origin_n; i++)
		hash += span_hash(d->origin[i].host, 2u * d->origin[i].port + d->origin[i].tls + 1);
	return hash;
}

static struct span shortest_host(struct span host, struct arena *a)
{
	char text[NAME_MAX_BYTES + 1], shortest[INET6_ADDRSTRLEN];
	struct in6_addr address;

	must(host.n < sizeof(text));
	for (size_t i = 0; i < host.n; i++)
		text[i] = ascii_lower(host.p[i]);
	text[host.n] = '\0';
	if (inet_pton(AF_INET6, text, &address) == 1) {
		inet_ntop(AF_INET6, &address, shortest, sizeof(shortest));
		return arena_span(a, span_of(shortest));
	}
	return arena_span(a, span_make(text, host.n));
}

static void take_mail(struct parsing *p, struct domain *d)
{
	struct domain_mail mail = { 0 };
	const char *why;

	if (d->mail.text.n > 0 && domain_mail_parse(d->mail.text, &mail, &why) == 0) {
		bool v6 = span_index(mail.host, ':') >= 0;

		mail.host = shortest_host(mail.host, p->a);
		mail.text = arena_spanf(p->a, v6 ? "[%.*s]:%u" : "%.*s:%u", SPAN_ARG(mail.host), mail.port);
	}
	d->mail = mail; /* a text that does not parse was told by conf_parse() */
}

static int by_address(const void *a, const void *b)
{
	return span_cmp(((const struct domain_recipient *)a)->address, ((const struct domain_recipient *)b)->address);
}

static void refuse_recipient(struct parsing *p, unsigned line, struct span address, const char *why)
{
	conf_error_value(p->errors, p->a, p->file, line, "recipient", address, why,
		"one exception for each address of the domain|eine Ausnahme je Adresse der Domain");
}

static void take_recipients(struct parsing *p, const struct conf_list *list, struct domain *d)
{
	struct span name;
	const char *why;
	unsigned n = 0;

	d->recipient = arena_array(p->a, struct domain_recipient, list->n);
	for (unsigned i = 0; i < list->n; i++) {
		struct domain_recipient *r = &d->recipient[n];

		if (domain_recipient_parse(list->v[i], p->a, r, &why) < 0)
			continue; /* told by conf_parse() */
		name = span_from(r->address, (size_t)span_index(r->address, '@') + 1);
		if (span_eq(name, d->name))
			n++;
		else
			refuse_recipient(p, list->line, r->address,
				"it is an address of another domain|es ist eine Adresse einer anderen Domain");
	}
	if (n > 1)
		qsort(d->recipient, n, sizeof(*d->recipient), by_address);
	for (unsigned i = 1; i < n; i++)
		if (by_address(&d->recipient[i - 1], &d->recipient[i]) == 0)
			refuse_recipient(p, list->line, d->recipient[i].address,
				"it stands here twice|sie steht hier zweimal");
	d->recipient_n = n;
}

static void take_origins(struct parsing *p, const struct conf_list *list, struct domain *d)
{
	const char *why;

	d->origin = arena_array(p->a, struct origin_spec, list->n);
	for (unsigned i = 0; i < list->n; i++) {
		struct origin_spec *spec = &d->origin[d->origin_n];

		if (origin_spec_parse(list->v[i], spec, &why) < 0)
			continue; /* told by conf_parse() */
		spec->host = shortest_host(spec->host, p->a);
		d->origin_n++;
	}
}

/* Did conf_parse() complain about the section? Then what is missing in it may be what it
 * refused. */
static bool is_told(const struct parsing *p, const struct section *s)
{
	for (unsigned i = 0; i < p->told; i++) {
		uint64_t line = 0;

		span_to_u64(fault_value(&p->errors->v[i], "line"), &line);
		if (line >= s->line && line < s->end)
			return true;
	}
	return false;
}

/* A name may stand twice in its own domain (as "Example.de" and "example.de"): it counts once. */
static void take_web_name(struct parsing *p, struct span name, unsigned line, struct domain *d)
{
	struct seen *seen = map_find(&p->web, name);
	struct fault *f;

	if (!seen) {
		seen = arena_new(p->a, struct seen);
		*seen = (struct seen){ d->name, line };
		map_put(&p->web, name, seen);
		d->web[d->web_n++] = name;
		return;
	}
	if (span_eq(seen->text, d->name))
		return;
	f = add_fault(p, line, FAULT_DOMAIN_WEB_TWICE, d->name);
	fault_fact(f, "name", "%.*s", SPAN_ARG(name));
	fault_fact(f, "owner", "%.*s", SPAN_ARG(seen->text));
	fault_fact(f, "first", "%u", seen->line);
}

static void take_web(struct parsing *p, const struct conf_list *list, unsigned line, struct domain *d)
{
	struct span name;

	d->web = arena_array(p->a, struct span, list->n);
	for (unsigned i = 0; i < list->n; i++)
		if (domain_name_normalise(list->v[i], true, p->a, &name) == 0)
			take_web_name(p, name, line, d);
}

/* Lists longer than is good for anyone. */
static bool is_too_long(struct parsing *p, const struct section *s, struct span name)
{
	const struct {
		const char *key;
		unsigned count, most;
	} lists[] = {
		{ "web", s->text->web.n, DOMAIN_WEB_MAX },
		{ "origin", s->text->origin.n, DOMAIN_ORIGIN_MAX },
		{ "recipient", s->text->recipient.n, DOMAIN_RECIPIENT_MAX },
	};

	for (size_t i = 0; i < array_len(lists); i++) {
		struct fault *f;

		if (lists[i].count <= lists[i].most)
			continue;
		f = add_fault(p, s->line, FAULT_DOMAIN_TOO_MANY, name);
		fault_fact(f, "key", "%s", lists[i].key);
		fault_fact(f, "count", "%u", lists[i].count);
		fault_fact(f, "most", "%u", lists[i].most);
		return true;
	}
	return false;
}

/* Has the domain a section already? Equal titles are told by conf_parse(), others are ours to
 * tell. */
static bool is_second(struct parsing *p, const struct section *s, struct span name)
{
	struct seen *seen = map_find(&p->domains, name);
	struct fault *f;

	if (!seen) {
		seen = arena_new(p->a, struct seen);
		*seen = (struct seen){ s->title, s->line };
		map_put(&p->domains, name, seen);
		return false;
	}
	if (!span_eq(seen->text, s->title)) {
		f = add_fault(p, s->line, FAULT_DOMAIN_TWICE, name);
		fault_fact(f, "first", "%u", seen->line);
	}
	return true;
}

/* What conf_parse() cannot know about one section. False: not usable. */
static bool take_section(struct parsing *p, const struct section *s, struct domain *ret)
{
	bool told = is_told(p, s);

	*ret = s->text->d;
	ret->web_n = ret->origin_n = ret->recipient_n = ret->id = 0;
	if (domain_name_normalise(s->title, false, p->a, &ret->name) < 0) {
		if (!told)
			add_fault(p, s->line, FAULT_DOMAIN_BAD_NAME, s->title);
		return false;
	}
	if (is_second(p, s, ret->name) || is_too_long(p, s, ret->name))
		return false;
	take_origins(p, &s->text->origin, ret);
	ret->origin_hash = origin_hash(ret);
	take_web(p, &s->text->web, s->line, ret);
	take_mail(p, ret);
	take_recipients(p, &s->text->recipient, ret);
	if (!told && ret->web_n > 0 && ret->origin_n == 0)
		add_fault(p, s->line, FAULT_DOMAIN_NO_ORIGIN, ret->name);
	return true;
}

static void take_sections(struct parsing *p, const struct conf_sections *all, struct domain_file *ret)
{
	struct domain_text *text = all->v;

	ret->v = arena_array(p->a, struct domain, all->n);
	ret->n = 0;
	for (unsigned i = 0; i < all->n; i++) {
		struct section s = { all->titles[i], &text[i], all->lines[i],
			i + 1 < all->n ? all->lines[i + 1] : UINT_MAX };

		if (take_section(p, &s, &ret->v[ret->n]))
			ret->n++;
	}
}

static void parsing_init(struct parsing *p, const char *file, struct arena *a, struct conf_errors *errors)
{
	*p = (struct parsing){ .file = file, .a = a, .errors = errors, .told = errors->n };
	map_init(&p->web);
	map_init(&p->domains);
}

static void parsing_done(struct parsing *p)
{
	map_done(&p->web);
	map_done(&p->domains);
	errors_sort(p->errors);
}

int domain_parse(struct span text, const char *file, struct arena *a, struct domain_file *ret,
	struct conf_errors *errors)
{
	struct domain_file_text found;
	struct parsing p;

	conf_parse(text, file, domain_file_keys, &found, a, errors);
	parsing_init(&p, file, a, errors);
	if (found.domains.n > DOMAINS_MAX) {
		struct fault *f = add_fault(&p, found.domains.lines[DOMAINS_MAX], FAULT_DOMAIN_TOO_MANY,
			found.domains.titles[DOMAINS_MAX]);

		fault_fact(f, "key", "domain");
		fault_fact(f, "count", "%u", found.domains.n);
		fault_fact(f, "most", "%u", DOMAINS_MAX);
	} else {
		take_sections(&p, &found.domains, ret);
	}
	parsing_done(&p);
	return errors->n ? -EINVAL : 0;
}

int domain_parse_body(struct span name, struct span body, struct arena *a, struct domain *ret,
	struct conf_errors *errors)
{
	char file[NAME_MAX_BYTES + 16];
	struct domain_text t;
	struct parsing p;

	snprintf(file, sizeof(file), "domain %.*s", (int)(name.n > NAME_MAX_BYTES ? NAME_MAX_BYTES : name.n), name.p);
	conf_parse(body, file, domain_keys, &t, a, errors);
	parsing_init(&p, file, a, errors);
	take_section(&p, &(struct section){ name, &t, 1, UINT_MAX }, ret);
	parsing_done(&p);
	return errors->n ? -EINVAL : 0;
}
