/*
 * From domains to text, in one form: keys in the order of their table, those at their preset left
 * out, so that equal domains are equal texts.
 */
#include "base/fmt.h"
#include "base/mem.h"
#include "domain/domain_priv.h"

#define VALUE_MAX (STORE_TEXT_MAX / 2)

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
