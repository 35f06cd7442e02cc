/*
 * A domain as text, both ways: the table of its keys, parsing with everything that is judged
 * beyond a single value, and the canonical export.
 *
 * The presets in the table are written as the export writes values, so "is at its preset" is a
 * comparison of texts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/fmt.h"
#include "base/map.h"
#include "base/mem.h"
#include "domain/domain_priv.h"

#define VALUE_MAX (STORE_TEXT_MAX / 2)

/* ---- judgements of single values ---- */

static const char *judge_name(struct span value)
{
	char out[NAME_MAX_BYTES + 2];
	size_t n;

	return name_normalise(value, false, out, &n);
}

static const char *judge_web(struct span value)
{
	char out[NAME_MAX_BYTES + 2];
	size_t n;

	return name_normalise(value, true, out, &n);
}

static const char *judge_origin(struct span value)
{
	struct origin_spec spec;
	const char *why;

	origin_spec_parse(value, &spec, &why);
	return why;
}

static const char *judge_mail(struct span value)
{
	struct domain_mail mail;
	const char *why;

	domain_mail_parse(value, &mail, &why);
	return why;
}

static const char *judge_recipient(struct span value)
{
	struct domain_recipient recipient;
	struct arena a;
	const char *why;

	arena_init(&a, 1024);
	domain_recipient_parse(value, &a, &recipient, &why);
	arena_done(&a);
	return why;
}

/* "host" or "host:port", as a Host header has it. */
static const char *judge_host(struct span value)
{
	_cleanup_(buf_done) struct buf url = BUF_INIT(512);
	struct origin_spec spec;
	const char *why;

	buf_add_text(&url, "http://");
	buf_add_span(&url, value);
	if (value.n == 0 || buf_error(&url) || span_index(value, ' ') >= 0 || span_index(value, '/') >= 0 ||
		origin_spec_parse(buf_span(&url), &spec, &why) < 0)
		return "it is no host name|es ist kein Hostname";
	return NULL;
}

static const char *judge_path(struct span value)
{
	if (value.n == 0 || value.p[0] != '/')
		return "a path begins with a slash|ein Pfad beginnt mit einem Schrägstrich";
	if (value.n > 1024)
		return "a path has at most 1024 bytes|ein Pfad hat höchstens 1024 Zeichen";
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] <= ' ' || value.p[i] == 0x7f || value.p[i] == '#')
			return "blanks, # and bytes beyond ASCII stand in a path as %HH|"
			       "Leerzeichen, # und Zeichen außerhalb von ASCII stehen in einem Pfad als %HH";
	return NULL;
}

/* ---- the keys ---- */

#define SECOND (1000ull)
#define HOUR   (3600 * SECOND)
#define DAY    (24 * HOUR)
#define AT(f)  offsetof(struct domain_text, d.f)

static const char *const presets[] = { "standard", "wordpress", "static", "off", NULL };
static const char *const tls_levels[] = { "off", "report", "require", NULL };
static const char *const mail_tls_levels[] = { "off", "opportunistic", "required", "verified", NULL };
static const char *const mail_lines[] = { "strict", "mend", NULL };
static const char *const mail_clients[] = { "none", "xclient", "proxy", NULL };

const struct conf_key domain_keys[] = {
	{ "web", CONF_LIST, offsetof(struct domain_text, web), NULL, .judge = judge_web,
		.wanted = "host names, also \"*.example.de\"|Hostnamen, auch \"*.example.de\"",
		.help_en = "The host names under which the site is visited; *.NAME stands for one more label.",
		.help_de = "Die Hostnamen, unter denen die Site besucht wird; *.NAME steht für ein weiteres Label." },
	{ "origin", CONF_LIST, offsetof(struct domain_text, origin), NULL, .judge = judge_origin,
		.wanted = "http://HOST[:PORT] or https://HOST[:PORT], then weight=N and backup if wanted|"
			  "http://HOST[:PORT] oder https://HOST[:PORT], danach nach Wunsch weight=N und backup",
		.help_en = "The web servers behind torhaus; weight=N shares the load, backup waits until no other is "
			   "up.",
		.help_de = "Die Webserver hinter torhaus; weight=N verteilt die Last, backup wartet, bis kein anderer "
			   "läuft." },
	{ "preset", CONF_ENUM, AT(preset), "standard", .choices = presets,
		.help_en = "How the cache treats the site: as its headers say, as WordPress, as plain files, not at "
			   "all.",
		.help_de =
			"Wie der Cache die Site behandelt: nach ihren Headern, als WordPress, als reine Dateien, gar "
			"nicht." },
	{ "grace", CONF_DURATION, AT(grace_ms), "1d", 0, 365 * DAY,
		.help_en = "How long pages are still served after their lifetime when the origin is down; 0: not at "
			   "all.",
		.help_de =
			"Wie lange Seiten nach ihrer Lebensdauer noch ausgeliefert werden, wenn der Ursprungsserver ausfällt; "
			"0: gar nicht." },
	{ "grace_forced", CONF_BOOL, AT(grace_forced), "false",
		.help_en = "Serve stale pages even where the origin forbids it (must-revalidate, no-cache).",
		.help_de =
			"Veraltete Seiten auch dort ausliefern, wo der Ursprungsserver es verbietet (must-revalidate, "
			"no-cache)." },
	{ "redirect_to_tls", CONF_BOOL, AT(redirect_to_tls), "false",
		.help_en = "Send visitors from http:// to https://.",
		.help_de = "Besucher von http:// nach https:// schicken." },
	{ "hsts", CONF_DURATION, AT(hsts_ms), "0", 0, 3650 * DAY,
		.help_en =
			"Tell browsers to use https:// only, for this long (Strict-Transport-Security); 0: no header.",
		.help_de =
			"Browsern sagen, dass sie so lange nur https:// verwenden (Strict-Transport-Security); 0: kein "
			"Header." },
	{ "websocket", CONF_BOOL, AT(websocket), "false",
		.help_en = "Let WebSocket connections (Upgrade) through to the origin.",
		.help_de = "WebSocket-Verbindungen (Upgrade) zum Ursprungsserver durchlassen." },
	{ "alt_svc", CONF_BOOL, AT(alt_svc), "false",
		.help_en = "Pass the origin's Alt-Svc on to visitors, who may then go there past this server.",
		.help_de =
			"Alt-Svc des Ursprungsservers an Besucher weitergeben, die dann an diesem Server vorbei dorthin "
			"gehen können." },
	{ "origin_verify", CONF_BOOL, AT(origin_verify), "true",
		.help_en = "https:// origins must show a certificate that is valid for their name.",
		.help_de = "Ursprünge mit https:// müssen ein für ihren Namen gültiges Zertifikat zeigen." },
	{ "origin_host", CONF_TEXT, AT(origin_host), NULL, .judge = judge_host, .wanted = "a host name|einen Hostnamen",
		.help_en = "The Host that the origin is asked for; empty: the visitor's.",
		.help_de = "Der Host, nach dem der Ursprungsserver gefragt wird; leer: der des Besuchers." },
	{ "health_path", CONF_TEXT, AT(health_path), NULL, .judge = judge_path,
		.wanted = "a path such as \"/health\"|einen Pfad wie \"/health\"",
		.help_en = "The path that is fetched to see whether an origin is up; empty: connecting suffices.",
		.help_de = "Der Pfad, der geholt wird, um zu sehen, ob ein Ursprungsserver läuft; leer: es genügt die "
			   "Verbindung." },
	{ "health_interval", CONF_DURATION, AT(health_interval_ms), "5s", SECOND, HOUR,
		.help_en = "How often each origin is checked.",
		.help_de = "Wie oft jeder Ursprungsserver geprüft wird." },
	{ "connect_timeout", CONF_DURATION, AT(connect_timeout_ms), "3s", 50, 60 * SECOND,
		.help_en = "How long connecting to an origin may take.",
		.help_de = "Wie lange der Verbindungsaufbau zum Ursprungsserver dauern darf." },
	{ "first_byte_timeout", CONF_DURATION, AT(first_byte_timeout_ms), "1m", 50, HOUR,
		.help_en = "How long an origin may think before its answer begins.",
		.help_de = "Wie lange ein Ursprungsserver nachdenken darf, bevor seine Antwort beginnt." },
	{ "read_timeout", CONF_DURATION, AT(read_timeout_ms), "1m", 50, HOUR,
		.help_en = "How long an origin may pause within its answer (event streams: at least an hour).",
		.help_de = "Wie lange ein Ursprungsserver innerhalb seiner Antwort innehalten darf (Ereignisströme: "
			   "mindestens eine Stunde)." },
	{ "body_max", CONF_SIZE, AT(body_max), "100M", 0, 1ull << 40, .help_en = "The largest upload of a visitor.",
		.help_de = "Der größte Upload eines Besuchers." },
	{ "mail", CONF_TEXT, AT(mail.text), NULL, .judge = judge_mail,
		.wanted = "HOST:PORT, such as \"10.0.0.6:25\"|HOST:PORT, etwa \"10.0.0.6:25\"",
		.help_en =
			"The mail server behind torhaus that takes the domain's mail; empty: the domain has no mail.",
		.help_de =
			"Der Mailserver hinter torhaus, der die Mails der Domain annimmt; leer: Die Domain hat keine "
			"Mail." },
	{ "tls", CONF_ENUM, AT(tls), "off", .choices = tls_levels,
		.help_en = "Must mail come encrypted: as the sender likes, likewise but written down who did not, or "
			   "refused without TLS.",
		.help_de =
			"Müssen Mails verschlüsselt kommen: wie der Absender mag, ebenso, aber aufgeschrieben, wer es "
			"nicht tat, oder ohne TLS abgelehnt." },
	{ "mail_tls", CONF_ENUM, AT(mail_tls), "opportunistic", .choices = mail_tls_levels,
		.help_en =
			"TLS to the mail server: never, if it offers it, always, or with a valid certificate for its "
			"name.",
		.help_de =
			"TLS zum Mailserver: nie, wenn er es anbietet, immer, oder mit gültigem Zertifikat auf seinen "
			"Namen." },
	{ "mail_client", CONF_ENUM, AT(mail_client), "none", .choices = mail_clients,
		.help_en =
			"How the mail server learns the client's address: not at all, by XCLIENT, by a PROXY header.",
		.help_de = "Wie der Mailserver die Adresse des Clients erfährt: gar nicht, durch XCLIENT, durch einen "
			   "PROXY-Kopf." },
	{ "mail_lines", CONF_ENUM, AT(mail_lines), "strict", .choices = mail_lines,
		.help_en = "A lone LF or CR within a message: refused, for mail is smuggled so, or made a line end "
			   "(never at the message's end).",
		.help_de =
			"Ein einzelnes LF oder CR in einer Nachricht: abgewiesen, denn so wird Mail eingeschmuggelt, "
			"oder zum Zeilenende gemacht (nie am Ende der Nachricht)." },
	{ "recipient", CONF_LIST, offsetof(struct domain_text, recipient), NULL, .judge = judge_recipient,
		.wanted =
			"ADDRESS off, report or require, then by=WHO, at=YYYY-MM-DD and until=YYYY-MM-DD if wanted|"
			"ADRESSE off, report oder require, danach nach Wunsch by=WER, at=JJJJ-MM-TT und until=JJJJ-MM-TT",
		.help_en = "Recipients for whom another tls holds than for the domain (see torhaus recipient set).",
		.help_de =
			"Empfänger, für die ein anderes tls gilt als für die Domain (siehe torhaus recipient set)." },
	{ NULL },
};

struct file_text {
	struct conf_sections domains;
};
static const struct conf_key file_keys[] = {
	{ "domain", CONF_TITLED, offsetof(struct file_text, domains), .judge = judge_name,
		.wanted = "a domain name|einen Domainnamen", .inner = domain_keys,
		.inner_size = sizeof(struct domain_text), .help_en = "A customer's domain.",
		.help_de = "Die Domain eines Kunden." },
	{ NULL },
};

/* ---- parsing ---- */

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
	struct file_text found;
	struct parsing p;

	conf_parse(text, file, file_keys, &found, a, errors);
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

/* ---- export ---- */

static void print_list(const struct domain *d, const struct conf_key *key, struct buf *out)
{
	bool web = key->at == offsetof(struct domain_text, web),
	     origin = key->at == offsetof(struct domain_text, origin);
	unsigned n = web ? d->web_n : origin ? d->origin_n : d->recipient_n;

	if (n == 0)
		return;
	buf_add_char(out, '{');
	for (unsigned i = 0; i < n; i++) {
		_cleanup_(buf_done) struct buf text = BUF_INIT(512);

		if (i > 0)
			buf_add_text(out, ", ");
		if (web)
			buf_add_span(&text, d->web[i]);
		else if (origin)
			origin_spec_print(&d->origin[i], &text);
		else
			domain_recipient_print(&d->recipient[i], &text);
		conf_quote(out, buf_span(&text));
	}
	buf_add_char(out, '}');
}

/* The value as it stands after the =; nothing if it is at its preset. */
static void print_value(const struct domain *d, const struct conf_key *key, struct buf *out)
{
	/* The struct of the table begins with the domain. */
	const void *at = (const char *)d + key->at;
	char number[FMT_SIZE];
	struct span text = { 0 };

	switch (key->type) {
	case CONF_LIST:
		print_list(d, key, out);
		return;
	case CONF_TEXT:
		text = *(const struct span *)at;
		break;
	case CONF_BOOL:
		text = *(const bool *)at ? SPAN("true") : SPAN("false");
		break;
	case CONF_ENUM:
		text = span_of(key->choices[*(const unsigned *)at]);
		break;
	case CONF_DURATION:
		fmt_duration(*(const uint64_t *)at, number);
		text = span_of(number);
		break;
	case CONF_SIZE:
		fmt_size(*(const uint64_t *)at, number);
		text = span_of(number);
		break;
	case CONF_UINT:
	case CONF_SECTION:
	case CONF_TITLED:
		must(!"a type that domains have no key of");
	}
	if (span_eq(text, span_of(key->preset)))
		return;
	if (key->type == CONF_BOOL)
		buf_add_span(out, text);
	else
		conf_quote(out, text);
}

static void print_key(const struct domain *d, const struct conf_key *key, const char *indent, struct buf *out)
{
	_cleanup_(buf_done) struct buf value = BUF_INIT(VALUE_MAX);

	print_value(d, key, &value);
	must(buf_error(&value) == 0);
	if (value.n > 0)
		buf_addf(out, "%s%-6s = %s\n", indent, key->name, buf_text(&value));
}

void domain_export_key(const struct domain *d, const struct conf_key *key, struct buf *out)
{
	print_key(d, key, "", out);
}

void domain_export_body(const struct domain *d, struct buf *out)
{
	for (const struct conf_key *key = domain_keys; key->name; key++)
		print_key(d, key, "", out);
}

void domain_export(const struct domain *d, struct buf *out)
{
	buf_add_text(out, "domain ");
	conf_quote(out, d->name);
	buf_add_text(out, " {\n");
	for (const struct conf_key *key = domain_keys; key->name; key++)
		print_key(d, key, "  ", out);
	buf_add_text(out, "}\n");
}
