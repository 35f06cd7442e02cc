/*
 * The ClientHello in a capture; what is accepted stands in predict/predict.h.
 *
 * pcap: a header, then records of 16 bytes and a packet. pcapng: blocks of type, length, body,
 * length. In both the numbers have the byte order of who wrote them, told by a magic number.
 * Packets are cut down to TCP by link type, IPv4 or IPv6; fragments and extension headers are left
 * aside, a handshake on a fresh connection has neither.
 */
#include <errno.h>
#include <limits.h>
#include "base/mem.h"
#include "base/reader.h"
#include "predict/predict.h"
#include "tls/hello.h"
#include "tls/record.h"

#define FLOWS_MAX      16  /* hellos under way at once; the oldest gives way */
#define STRAYS_MAX     256 /* segments that may turn out to belong behind a later one */
#define INTERFACES_MAX 16
#define TCP            6

/* need: how many bytes must be there before another look can tell more. */
static bool is_whole(struct span bytes, struct arena *a, size_t *ret_need)
{
	struct tls_hello h;
	bool whole = tls_hello_parse(bytes, a, &h) == 0 && h.complete;

	*ret_need = h.records_n;
	return whole;
}

/* ---- TCP streams ---- */

struct segment {
	struct span from, to; /* addresses, 4 or 16 bytes */
	uint16_t from_port, to_port;
	uint32_t seq;
	struct span payload;
};

/* The stream of one side from its hello's first byte on. */
struct flow {
	bool used;
	char from[16], to[16];
	uint16_t from_port, to_port;
	uint32_t next; /* sequence number of the byte that comes next */
	struct buf bytes;
	size_t need; /* bytes before another look can tell more */
};

struct search {
	struct arena *arena;
	struct predict_client *ret;
	struct flow flow[FLOWS_MAX];
	unsigned oldest;
	/* the last segments that were not the next ones of a flow, whose bytes lie in the file */
	struct segment stray[STRAYS_MAX];
	unsigned strays;
	bool swapped; /* the file's numbers are not in our order */
	uint16_t links[INTERFACES_MAX];
	unsigned links_n;
};

static bool is_of_flow(const struct flow *f, const struct segment *s)
{
	return f->used && f->from_port == s->from_port && f->to_port == s->to_port &&
		memcmp(f->from, s->from.p, s->from.n) == 0 && memcmp(f->to, s->to.p, s->to.n) == 0;
}

/* As far as it goes: a first segment may end within the record's header. */
static bool begins_hello(struct span p)
{
	return p.n > 0 && p.p[0] == 22 && (p.n < 2 || p.p[1] == 3) && (p.n < 6 || p.p[5] == 1);
}

static void found(struct search *s, const struct segment *segment, struct span hello)
{
	struct net_addr addr = { 0 };

	if (s->ret->hellos_n++ > 0)
		return;
	s->ret->hello = arena_span(s->arena, hello);
	if (segment->from.n == 4) {
		addr.in.sin_family = AF_INET;
		memcpy(&addr.in.sin_addr, segment->from.p, 4);
		addr.n = sizeof(addr.in);
	} else {
		addr.in6.sin6_family = AF_INET6;
		memcpy(&addr.in6.sin6_addr, segment->from.p, 16);
		addr.n = sizeof(addr.in6);
	}
	net_addr_host_text(&addr, s->ret->from);
}

static struct flow *begin_flow(struct search *s, const struct segment *segment)
{
	struct flow *f = &s->flow[s->oldest++ % FLOWS_MAX];

	buf_done(&f->bytes);
	*f = (struct flow){ .used = true,
		.from_port = segment->from_port,
		.to_port = segment->to_port,
		.next = segment->seq,
		.bytes = BUF_INIT(TLS_HELLO_MAX) };
	memcpy(f->from, segment->from.p, segment->from.n);
	memcpy(f->to, segment->to.p, segment->to.n);
	return f;
}

/* Bytes from the flow's next one to the segment's first: negative if the segment began before. */
static int32_t flow_ahead(const struct flow *f, const struct segment *s)
{
	return (int32_t)(s->seq - f->next);
}

/* Takes what of the segment is new: all, its end (the rest was sent before), or nothing. false: it
 * is not its turn, or it is none of this flow. */
static bool flow_take(struct flow *f, const struct segment *s)
{
	int32_t ahead = flow_ahead(f, s);
	struct span payload;

	if (!is_of_flow(f, s) || ahead > 0 || ahead < -TLS_HELLO_MAX)
		return false;
	payload = span_from(s->payload, (size_t)-ahead);
	buf_add_span(&f->bytes, payload);
	f->next += (uint32_t)payload.n;
	return payload.n > 0;
}

static void flow_take_strays(struct search *s, struct flow *f)
{
	for (unsigned i = 0; i < STRAYS_MAX; i++)
		if (s->stray[i].payload.n > 0 && flow_take(f, &s->stray[i])) {
			s->stray[i].payload.n = 0;
			i = UINT_MAX; /* from the first one again */
		}
}

static void on_segment(struct search *s, const struct segment *segment)
{
	struct flow *f = NULL;
	struct arena scratch;

	if (segment->payload.n == 0)
		return;
	for (unsigned i = 0; !f && i < FLOWS_MAX; i++)
		if (is_of_flow(&s->flow[i], segment) && flow_ahead(&s->flow[i], segment) >= -TLS_HELLO_MAX &&
			flow_ahead(&s->flow[i], segment) < TLS_HELLO_MAX)
			f = &s->flow[i];
	if (!f && begins_hello(segment->payload))
		f = begin_flow(s, segment);
	if (!f || flow_ahead(f, segment) > 0) {
		s->stray[s->strays++ % STRAYS_MAX] = *segment;
		return;
	}
	flow_take(f, segment);
	flow_take_strays(s, f);
	if (f->bytes.n < f->need)
		return;
	arena_init(&scratch, 4096);
	if (is_whole(buf_span(&f->bytes), &scratch, &f->need)) {
		found(s, segment, buf_span(&f->bytes));
		f->used = false;
	}
	arena_done(&scratch);
}

/* ---- packets ---- */

static void on_tcp(struct search *s, struct span p, struct segment *segment)
{
	struct reader r = reader_of(p);
	unsigned words;

	segment->from_port = (uint16_t)reader_number(&r, 2);
	segment->to_port = (uint16_t)reader_number(&r, 2);
	segment->seq = reader_number(&r, 4);
	reader_take(&r, 4);
	words = reader_number(&r, 1) >> 4;
	if (r.error || words < 5)
		return;
	segment->payload = span_from(p, 4 * words);
	on_segment(s, segment);
}

static void on_ip(struct search *s, struct span p)
{
	struct segment segment = { 0 };
	unsigned version = p.n > 0 ? (uint8_t)p.p[0] >> 4 : 0, header;

	if (version == 4 && p.n >= 20 && p.p[9] == TCP) {
		/* What the frame was padded with is not part of it. 0: left to the network card. */
		size_t length = (size_t)((uint8_t)p.p[2] << 8 | (uint8_t)p.p[3]);

		header = 4 * ((uint8_t)p.p[0] & 15);
		if (length >= header && length < p.n)
			p = span_sub(p, 0, length);
		segment.from = span_sub(p, 12, 4);
		segment.to = span_sub(p, 16, 4);
		on_tcp(s, span_from(p, header), &segment);
	} else if (version == 6 && p.n >= 40 && p.p[6] == TCP) {
		size_t length = (size_t)((uint8_t)p.p[4] << 8 | (uint8_t)p.p[5]);

		if (length > 0)
			p = span_sub(p, 0, 40 + length);
		segment.from = span_sub(p, 8, 16);
		segment.to = span_sub(p, 24, 16);
		on_tcp(s, span_from(p, 40), &segment);
	}
}

/* Behind the link's own header; SIZE_MAX: of a link type that is not known. */
static size_t link_header(uint16_t link, struct span p)
{
	size_t at = 14;

	switch (link) {
	case 1: /* Ethernet, with VLAN tags */
		while (p.n >= at && ((uint8_t)p.p[at - 2] == 0x81 || (uint8_t)p.p[at - 2] == 0x88) &&
			((uint8_t)p.p[at - 1] == 0x00 || (uint8_t)p.p[at - 1] == 0xa8))
			at += 4;
		return at;
	case 0: /* loopback of the BSDs */
	case 108:
		return 4;
	case 12: /* raw IP */
	case 14:
	case 101:
		return 0;
	case 113: /* Linux "any" */
		return 16;
	case 276:
		return 20;
	default:
		return SIZE_MAX;
	}
}

static void on_packet(struct search *s, uint16_t link, struct span p)
{
	size_t header = link_header(link, p);

	if (header < p.n)
		on_ip(s, span_from(p, header));
}

/* ---- files ---- */

static uint32_t number(const struct search *s, struct reader *r, unsigned bytes)
{
	uint32_t v = reader_number(r, bytes);

	if (!s->swapped)
		return v;
	return bytes == 2 ? (uint32_t)(v >> 8 | (v & 0xff) << 8) : __builtin_bswap32(v);
}

static void read_pcap(struct search *s, struct span file)
{
	struct reader r = reader_of(file);
	uint32_t magic = reader_number(&r, 4);
	uint16_t link;

	s->swapped = magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1;
	reader_take(&r, 16);
	link = (uint16_t)number(s, &r, 4);
	while (r.rest.n > 0 && !r.error) {
		uint32_t n;

		reader_take(&r, 8);
		n = number(s, &r, 4);
		reader_take(&r, 4);
		on_packet(s, link, reader_take(&r, n));
	}
}

static void read_block(struct search *s, uint32_t type, struct span body)
{
	enum { INTERFACE = 1, SIMPLE_PACKET = 3, PACKET = 6 };
	struct reader r = reader_of(body);
	uint32_t interface = 0, n;

	if (type == INTERFACE && s->links_n < INTERFACES_MAX)
		s->links[s->links_n++] = (uint16_t)number(s, &r, 2);
	if (type == PACKET) {
		interface = number(s, &r, 4);
		reader_take(&r, 8);
	}
	if (type != PACKET && type != SIMPLE_PACKET)
		return;
	n = number(s, &r, 4);
	if (type == PACKET)
		reader_take(&r, 4);
	else if (n > r.rest.n)
		n = (uint32_t)r.rest.n;
	if (interface < s->links_n)
		on_packet(s, s->links[interface], reader_take(&r, n));
}

static void read_pcapng(struct search *s, struct span file)
{
	enum { SECTION = 0x0a0d0d0a };
	struct reader r = reader_of(file);

	while (r.rest.n >= 12 && !r.error) {
		struct reader peek = reader_of(span_from(r.rest, 8));
		uint32_t type, length;

		if (span_starts(r.rest, SPAN("\x0a\x0d\x0d\x0a"))) {
			s->swapped = reader_number(&peek, 4) != 0x1a2b3c4d;
			s->links_n = 0;
		}
		type = number(s, &r, 4);
		length = number(s, &r, 4);
		if (length < 12)
			return;
		read_block(s, type, reader_take(&r, length - 12));
		reader_take(&r, 4);
	}
}

/* ---- all kinds ---- */

static bool is_hex_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ':' || c == ',';
}

static int hex_digit(char c)
{
	char l = ascii_lower(c);

	return ascii_digit(c) ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/* Empty unless the whole text is hexadecimal. */
static struct span from_hex(struct span text, struct arena *a)
{
	char *out = arena_alloc(a, text.n / 2 + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (is_hex_blank(text.p[i]))
			continue;
		if (i + 1 < text.n && text.p[i] == '0' && ascii_lower(text.p[i + 1]) == 'x') {
			i++;
			continue;
		}
		if (i + 1 >= text.n || hex_digit(text.p[i]) < 0 || hex_digit(text.p[i + 1]) < 0)
			return SPAN("");
		out[n++] = (char)(hex_digit(text.p[i]) << 4 | hex_digit(text.p[i + 1]));
		i++;
	}
	return span_make(out, n);
}

/* Bytes as they are; a bare message is put into records, in which 16 KiB have room each. */
static struct span from_bytes(struct span bytes, struct arena *a)
{
	const size_t most = 16384;
	size_t n = 0;
	char *records;

	if (bytes.n < 6 || bytes.n > TLS_HELLO_MAX || bytes.p[0] != 1 || bytes.p[4] != 3)
		return bytes;
	records = arena_alloc(a, bytes.n + TLS_RECORD_HEADER * (bytes.n / most + 1));
	for (; bytes.n > 0; bytes = span_from(bytes, most)) {
		struct span payload = span_sub(bytes, 0, most);

		memcpy(records + n, "\x16\x03\x01", 3);
		records[n + 3] = (char)(payload.n >> 8);
		records[n + 4] = (char)payload.n;
		memcpy(records + n + TLS_RECORD_HEADER, payload.p, payload.n);
		n += TLS_RECORD_HEADER + payload.n;
	}
	return span_make(records, n);
}

static bool is_pcap(struct span b)
{
	static const char *const magics[] = { "\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1",
		"\xa1\xb2\x3c\x4d" };

	for (size_t i = 0; i < array_len(magics); i++)
		if (span_starts(b, span_make(magics[i], 4)))
			return true;
	return false;
}

static int not_found(struct fault *fault, const char *why, const char *why_de)
{
	fault_set(fault, FAULT_TLS_HELLO_NOT_FOUND);
	fault_fact(fault, "why", "%s", why);
	fault_fact(fault, "why_de", "%s", why_de);
	return -EINVAL;
}

static int search_packets(struct span bytes, struct arena *a, struct predict_client *ret, struct fault *fault)
{
	struct search *s = mem_new(struct search);

	s->arena = a;
	s->ret = ret;
	if (is_pcap(bytes))
		read_pcap(s, bytes);
	else
		read_pcapng(s, bytes);
	for (unsigned i = 0; i < FLOWS_MAX; i++)
		buf_done(&s->flow[i].bytes);
	mem_free(s);
	if (ret->hellos_n > 0)
		return 0;
	return not_found(fault, "no TCP stream of the capture begins with a complete one",
		"kein TCP-Strom der Aufzeichnung beginnt mit einem vollständigen");
}

int predict_from_capture(struct span bytes, struct arena *a, struct predict_client *ret, struct fault *fault)
{
	struct span hex;
	size_t need;

	*ret = (struct predict_client){ 0 };
	if (bytes.n > PREDICT_CAPTURE_MAX)
		return not_found(fault, "the file is larger than 64 MiB", "die Datei ist größer als 64 MiB");
	if (is_pcap(bytes) || span_starts(bytes, SPAN("\x0a\x0d\x0d\x0a")))
		return search_packets(bytes, a, ret, fault);
	hex = bytes.n <= 6 * TLS_HELLO_MAX ? from_hex(bytes, a) : SPAN("");
	ret->hello = from_bytes(hex.n > 0 ? hex : bytes, a);
	ret->hellos_n = 1;
	if (is_whole(ret->hello, a, &need))
		return 0;
	ret->hello = (struct span){ 0 };
	return not_found(fault, "it is neither one in bytes or hexadecimal digits nor a capture by tcpdump",
		"es ist weder eines in Bytes oder Hexadezimalziffern noch eine Aufzeichnung von tcpdump");
}
