/*
 * A head: start line, field lines, empty line.
 *
 * h1_head_length() only looks for the end, LF by LF, remembering how far it came.
 * h1_parse_fields() then reads each byte once: the name byte by byte against the table,
 * the value eight bytes at a time up to the first control byte, which must be the CR of
 * the line's CRLF. While it is there it notes what framing and routing will ask for, so
 * that nobody searches the list for it afterwards.
 */
#include <errno.h>
#include <stdio.h>
#include "http/http_priv.h"

/* Characters of a faulty line that the fault shows. */
#define EVIDENCE_MAX 80
/* Real ones have two or three options; the bound keeps http_fields_strip_hop() cheap. */
#define OPTIONS_MAX          100
#define OPTION_BYTES_MAX     4096
#define FIELDS_ROOM_AT_FIRST 24

int h1_head_length(struct span bytes, size_t *scanned)
{
	size_t line = span_starts(bytes, SPAN("\r\n")) ? 2 : 0;
	size_t line_max = line + HTTP_REQUEST_LINE_MAX + 2;
	size_t at = *scanned;
	const char *lf;

	/* Looked at once, by the call that passes the mark. */
	if (at < line_max && bytes.n >= line_max && !memchr(bytes.p + line, '\n', line_max - line))
		return -414;
	for (; at < bytes.n && (lf = memchr(bytes.p + at, '\n', bytes.n - at)); at++) {
		at = (size_t)(lf - bytes.p);
		if (at >= HTTP_HEAD_MAX)
			return -431;
		if (at == 0 || lf[-1] != '\r')
			return -400;
		if (at >= 3 && lf[-2] == '\n')
			return at == 3 ? -400 : (int)at + 1;
	}
	*scanned = bytes.n;
	return bytes.n >= HTTP_HEAD_MAX ? -431 : 0;
}

void h1_head_fault(int status, struct fault *fault)
{
	switch (status) {
	case -414:
		fault_set(fault, FAULT_HTTP_LINE_TOO_LONG);
		fault_fact(fault, "limit", "%d", HTTP_REQUEST_LINE_MAX);
		fault_fact(fault, "what", "> %d bytes", HTTP_REQUEST_LINE_MAX);
		break;
	case -431:
		fault_set(fault, FAULT_HTTP_HEAD_TOO_LARGE);
		fault_fact(fault, "limit", "%d", HTTP_HEAD_MAX);
		fault_fact(fault, "fields", "%d", HTTP_FIELDS_MAX);
		fault_fact(fault, "what", "> %d bytes", HTTP_HEAD_MAX);
		break;
	default:
		fault_set(fault, FAULT_HTTP_BAD_LINE_END);
		fault_fact(fault, "what", "LF");
		break;
	}
}

int h1_refuse(struct h1_cursor *c, int status, enum fault_code code, struct span text)
{
	struct span shown = span_sub(text, 0, EVIDENCE_MAX);

	fault_set(c->fault, code);
	fault_fact(c->fault, "line", "%u", c->line);
	fault_fact(c->fault, "what", "%.*s", SPAN_ARG(shown));
	return status;
}

int h1_refuse_repeated(struct h1_cursor *c, int status, enum fault_code code, const struct h1_values *values)
{
	char text[EVIDENCE_MAX + 1];
	size_t n = 0;

	for (unsigned i = 0; i < values->n && n < EVIDENCE_MAX; i++) {
		int more = snprintf(text + n, sizeof(text) - n, "%s%.*s", i ? ", " : "", SPAN_ARG(values->v[i]));

		n += more > 0 ? (size_t)more : 0;
	}
	return h1_refuse(c, status, code, span_make(text, n < EVIDENCE_MAX ? n : EVIDENCE_MAX));
}

static int refuse_too_many(struct h1_cursor *c, unsigned max, const char *of_what)
{
	fault_set(c->fault, FAULT_HTTP_HEAD_TOO_LARGE);
	fault_fact(c->fault, "limit", "%d", HTTP_HEAD_MAX);
	fault_fact(c->fault, "fields", "%u", max);
	fault_fact(c->fault, "what", "> %u %s", max, of_what);
	return -431;
}

/* What is left of the line at p, for evidence. */
static struct span rest_of_line(const struct h1_cursor *c, const char *p)
{
	const char *cr = memchr(p, '\r', (size_t)(c->end - p));

	return span_make(p, (size_t)((cr ? cr : c->end) - p));
}

int h1_parse_line_end(struct h1_cursor *c)
{
	char byte[8];

	if (c->end - c->p >= 2 && c->p[0] == '\r' && c->p[1] == '\n') {
		c->p += 2;
		c->line++;
		return 0;
	}
	if (c->p == c->end || *c->p == '\r' || *c->p == '\n')
		return h1_refuse(c, -400, FAULT_HTTP_BAD_LINE_END, span_make(c->p, c->p < c->end));
	snprintf(byte, sizeof(byte), "0x%02x", (unsigned char)*c->p);
	return h1_refuse(c, -400, FAULT_HTTP_CONTROL_BYTE, span_of(byte));
}

static void note_connection(struct h1_facts *facts, struct span value)
{
	struct span option;

	if (value.n > OPTION_BYTES_MAX)
		facts->options = OPTIONS_MAX + 1;
	while (facts->options <= OPTIONS_MAX && http_list_next(&value, &option)) {
		facts->options++;
		if (span_eq_nocase(option, SPAN("close")))
			facts->close = true;
		else if (span_eq_nocase(option, SPAN("keep-alive")))
			facts->keep_alive = true;
		else if (span_eq_nocase(option, SPAN("upgrade")))
			facts->upgrade_option = true;
		else
			facts->names_fields = true;
	}
}

static void note_coding(struct h1_facts *facts, struct span value)
{
	struct span coding;

	facts->has_coding = true;
	facts->coding = value;
	/* Lists may have empty elements, but who sends ", chunked" hopes that somebody does not see
	 * it. */
	if (value.n == 0 || value.p[0] == ',' || value.p[value.n - 1] == ',')
		facts->coding_bad = true;
	while (http_list_next(&value, &coding)) {
		/* Nothing may follow chunked, and parameters are none of ours. */
		if (facts->chunked_last || !http_is_token(coding) || span_eq_nocase(coding, SPAN("identity")))
			facts->coding_bad = true;
		facts->chunked_last = span_eq_nocase(coding, SPAN("chunked"));
		facts->codings++;
	}
}

static void note_expect(struct h1_facts *facts, struct span value)
{
	struct span expectation;

	while (http_list_next(&value, &expectation)) {
		if (span_eq_nocase(expectation, SPAN("100-continue")))
			facts->expect_continue = true;
		else
			facts->expect_other = true;
	}
}

static void note_value(struct h1_values *values, struct span value)
{
	if (values->n < array_len(values->v))
		values->v[values->n++] = value;
}

/* False for Host: it is kept apart from the list. */
static bool note(struct h1_facts *facts, unsigned id, struct span value)
{
	if (facts->trailers)
		return true;
	switch (id) {
	case HTTP_HOST:
		facts->hosts++;
		facts->host = value;
		note_value(&facts->host_values, value);
		return false;
	case HTTP_CONTENT_LENGTH:
		facts->lengths++;
		facts->length = value;
		note_value(&facts->length_values, value);
		break;
	case HTTP_TRANSFER_ENCODING:
		note_coding(facts, value);
		break;
	case HTTP_CONNECTION:
		note_connection(facts, value);
		break;
	case HTTP_EXPECT:
		note_expect(facts, value);
		break;
	case HTTP_UPGRADE:
		facts->upgrade_field = facts->upgrade_field || value.n > 0;
		break;
	default:
		break;
	}
	return true;
}

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* One line: name ":" OWS value OWS CRLF. */
static int parse_line(struct h1_cursor *c, struct span *ret_name, struct span *ret_value)
{
	const char *p = c->p, *end = c->end, *start = c->p;

	if (is_blank(*p))
		return h1_refuse(c, -400, FAULT_HTTP_FOLDED_LINE, rest_of_line(c, start));
	while (p < end && http_char_is(*p, HTTP_CHAR_TOKEN))
		p++;
	if (p == start || p == end || *p != ':')
		return h1_refuse(c, -400, FAULT_HTTP_BAD_FIELD, rest_of_line(c, start));
	*ret_name = span_make(start, (size_t)(p - start));
	for (p++; p < end && is_blank(*p); p++)
		;
	start = p;
	p += http_value_length(p, (size_t)(end - p));
	c->p = p;
	while (p > start && is_blank(p[-1]))
		p--;
	*ret_value = span_make(start, (size_t)(p - start));
	return h1_parse_line_end(c);
}

int h1_parse_fields(struct h1_cursor *c, struct arena *a, unsigned max, struct http_fields *ret, struct h1_facts *facts)
{
	struct http_field field;
	unsigned lines = 0;
	int r;

	*ret = (struct http_fields){ .room = FIELDS_ROOM_AT_FIRST };
	ret->v = arena_alloc(a, ret->room * sizeof(*ret->v));
	while (c->p < c->end && *c->p != '\r') {
		r = parse_line(c, &field.name, &field.value);
		if (r < 0)
			return r;
		if (++lines > max)
			return refuse_too_many(c, max, "fields");
		field.id = (uint8_t)http_field_id_of(field.name);
		if (note(facts, field.id, field.value))
			http_fields_push(ret, a, field);
	}
	r = h1_parse_line_end(c);
	if (r < 0)
		return r;
	if (facts->options > OPTIONS_MAX)
		return refuse_too_many(c, OPTIONS_MAX, "options of Connection");
	if (c->p != c->end)
		return h1_refuse(c, -400, FAULT_HTTP_BAD_LINE_END, (struct span){ 0 });
	return 0;
}

int h1_parse_framing(struct h1_cursor *c, const struct h1_facts *facts, unsigned version_minor, bool *ret_chunked,
	uint64_t *ret_length)
{
	*ret_chunked = false;
	*ret_length = 0;
	if (facts->has_coding) {
		if (facts->lengths)
			return h1_refuse(c, -400, FAULT_HTTP_LENGTH_AND_CODING, facts->coding);
		if (version_minor == 0 || facts->coding_bad || !facts->chunked_last)
			return h1_refuse(c, -400, FAULT_HTTP_BAD_CODING, facts->coding);
		if (facts->codings > 1)
			return h1_refuse(c, -501, FAULT_HTTP_UNKNOWN_CODING, facts->coding);
		*ret_chunked = true;
		return 0;
	}
	/* INT64_MAX: sums with what a head took must not overflow. */
	if (facts->lengths > 1 ||
		(facts->lengths && (span_to_u64(facts->length, ret_length) < 0 || *ret_length > INT64_MAX)))
		return h1_refuse_repeated(c, -400, FAULT_HTTP_BAD_LENGTH, &facts->length_values);
	return 0;
}

/* Forwarded on, a trailer must not pass for something that was decided by the head. */
#define NO_TRAILER         (HTTP_NO_TRAILER | HTTP_HOP | HTTP_FRAMING | HTTP_FORWARDING | HTTP_CONDITIONAL)
#define TRAILER_FIELDS_MAX 32

int h1_parse_trailers(struct span block, struct arena *a, struct http_fields *ret)
{
	struct h1_cursor c = { .p = block.p, .end = block.p + block.n, .line = 1 };
	struct h1_facts facts = { .trailers = true };
	unsigned kept = 0;
	int r;

	r = h1_parse_fields(&c, a, TRAILER_FIELDS_MAX, ret, &facts);
	if (r < 0) {
		*ret = (struct http_fields){ 0 };
		return -EPROTO;
	}
	for (unsigned i = 0; i < ret->n; i++)
		if (!(http_field_flags(ret->v[i].id) & NO_TRAILER))
			ret->v[kept++] = ret->v[i];
	ret->n = (uint16_t)kept;
	return 0;
}
