/*
 * What an upstream said, reduced to what it may say about the question.
 *
 * The chain: from the question's name along CNAME records (with the DNAME that each was made from)
 * to its end. Of the answer section are kept the links of this chain and the records of the asked
 * type at its end, with their signatures, in the order of the chain: who follows it while he reads
 * (glibc, HAProxy) needs each CNAME before what it leads to. Of the authority section: SOA of zones
 * that hold a name of the chain, and the proofs (NSEC, NSEC3) and signatures of names in these
 * zones. The additional section is dropped. A forged or careless record for another name can so
 * neither be cached nor passed on, and since an answer is only ever given to its own question, one
 * that is wrong spoils nothing else.
 *
 * What is kept is written anew into a message of our own, with id 0, the question in lower case,
 * and names in the data of types newer than RFC 1035 uncompressed (RFC 3597 4). A client gets a
 * copy with its own id, its own spelling of the question (of the same length, so that all pointers
 * stay right), its flags and its OPT record, and with TTLs patched in, whose places are kept beside
 * the message.
 */
#include <errno.h>
#include <stdatomic.h>
#include "dns/dns_priv.h"

#define RECORDS_MAX      1024 /* of an upstream's answer and authority sections each */
#define CHAIN_MAX        16
#define ZONES_MAX        (2 * CHAIN_MAX)
#define PLACES           (2 * CHAIN_MAX) /* for each name of the chain its DNAME, then the rest */
#define NOT_WANTED       PLACES
#define ROTATED_MAX      64 /* addresses; if there are more the rest stays where it is */
#define SOA_TAIL_SIZE    20
#define NEGATIVE_TTL_MAX 10800 /* RFC 2308 5: "one to three hours have been found to work well" */

struct dns_answer {
	atomic_uint refs;
	atomic_uint turn; /* whose turn it is to be the first address */
	uint16_t rcode;
	uint16_t answers_n, records_n; /* records: answers, then authority */
	uint32_t ttl;
	size_t message_n;
	uint8_t *message;  /* behind ttl_at */
	uint16_t ttl_at[]; /* records_n */
};

struct section {
	unsigned n;
	uint16_t at[RECORDS_MAX];   /* where its records begin */
	uint8_t place[RECORDS_MAX]; /* in what leaves: 0 first; NOT_WANTED */
};
struct reading {
	const struct dns_question *q;
	struct dns_reader r; /* of the whole message */
	struct section answer, authority;
	unsigned chain_n, zones_n;
	struct dns_name chain[CHAIN_MAX];
	struct dns_name zones[ZONES_MAX];
	bool found; /* records of the asked type at the chain's end */
	bool has_soa;
	uint32_t ttl;
	struct dns_writer w;
	unsigned kept;
	uint16_t ttl_at[2 * RECORDS_MAX];
};

/* ---- data with names ---- */

/*
 * n: a name that may be compressed; N: one that must not be; 1-9: so many bytes; s: a text with its
 * length; t: 18 bytes; *: what is left. All that is not here is bytes.
 */
static const struct {
	uint16_t type;
	const char *form;
} forms[] = {
	{ DNS_TYPE_NS, "n" },
	{ DNS_TYPE_CNAME, "n" },
	{ DNS_TYPE_SOA, "nn*" },
	{ DNS_TYPE_MB, "n" },
	{ DNS_TYPE_MG, "n" },
	{ DNS_TYPE_MR, "n" },
	{ DNS_TYPE_PTR, "n" },
	{ DNS_TYPE_MINFO, "nn" },
	{ DNS_TYPE_MX, "2n" },
	{ DNS_TYPE_RP, "NN" },
	{ DNS_TYPE_AFSDB, "2N" },
	{ DNS_TYPE_RT, "2N" },
	{ DNS_TYPE_SIG, "tN*" },
	{ DNS_TYPE_PX, "2NN" },
	{ DNS_TYPE_SRV, "6N" },
	{ DNS_TYPE_NAPTR, "4sssN" },
	{ DNS_TYPE_KX, "2N" },
	{ DNS_TYPE_DNAME, "N" },
	{ DNS_TYPE_RRSIG, "tN*" },
	{ DNS_TYPE_NSEC, "N*" },
	{ DNS_TYPE_SVCB, "2N*" },
	{ DNS_TYPE_HTTPS, "2N*" },
};

static const char *form_of(uint16_t type)
{
	for (unsigned i = 0; i < array_len(forms); i++)
		if (forms[i].type == type)
			return forms[i].form;
	return "*";
}

static void copy_name(struct dns_reader *r, struct dns_writer *w, bool compress)
{
	struct dns_name name;

	dns_read_name(r, &name);
	if (!r->error)
		dns_write_name(w, &name, compress);
}

static void copy_bytes(struct dns_reader *r, struct dns_writer *w, size_t n)
{
	struct span s = dns_read_bytes(r, n);

	dns_write_bytes(w, s.p, s.n);
}

static void copy_text(struct dns_reader *r, struct dns_writer *w)
{
	uint8_t n = dns_read_u8(r);

	dns_write_bytes(w, &n, 1);
	copy_bytes(r, w, n);
}

/* The data of one record; it must be exactly as long as it says. */
static bool copy_data(struct dns_reader r, const struct dns_record *record, struct dns_writer *w)
{
	size_t end = record->rdata_at + record->rdata_n;

	if ((record->type == DNS_TYPE_A && record->rdata_n != 4) ||
		(record->type == DNS_TYPE_AAAA && record->rdata_n != 16))
		return false;
	r.at = record->rdata_at;
	r.n = end;
	for (const char *form = form_of(record->type); *form; form++)
		switch (*form) {
		case 'n':
		case 'N':
			copy_name(&r, w, *form == 'n');
			break;
		case 's':
			copy_text(&r, w);
			break;
		case 't':
			copy_bytes(&r, w, 18);
			break;
		case '*':
			copy_bytes(&r, w, r.error ? 0 : end - r.at);
			break;
		default:
			copy_bytes(&r, w, (size_t)(*form - '0'));
		}
	return !r.error && r.at == end;
}

/* ---- what belongs to the question ---- */

static struct dns_record record_at(const struct reading *x, unsigned at)
{
	struct dns_reader r = x->r;
	struct dns_record record;

	r.at = at;
	dns_read_record(&r, &record);
	return record;
}

static struct dns_name name_at(const struct reading *x, size_t at)
{
	struct dns_reader r = x->r;
	struct dns_name name;

	r.at = at;
	dns_read_name(&r, &name);
	return name;
}

static bool read_section(struct reading *x, unsigned n, struct section *s)
{
	struct dns_record record;

	s->n = 0;
	if (n > RECORDS_MAX)
		return false;
	for (; n > 0 && !x->r.error; n--) {
		s->at[s->n++] = (uint16_t)x->r.at;
		dns_read_record(&x->r, &record);
	}
	return !x->r.error;
}

/* An OPT record says more of the response code; whatever it adds is an error. */
static bool read_rest(struct reading *x, unsigned n)
{
	struct dns_record record;
	bool plain = true;

	for (; n > 0 && !x->r.error; n--) {
		dns_read_record(&x->r, &record);
		if (!x->r.error && record.type == DNS_TYPE_OPT)
			plain = plain && x->r.p[record.rdata_at - 6] == 0;
	}
	return !x->r.error && plain;
}

static bool is_asked(const struct dns_question *q, uint16_t type)
{
	return type == q->type || q->type == DNS_TYPE_ANY;
}

/* The record that leads on from name: *ret_to is where to. */
static bool find_link(const struct reading *x, const struct dns_name *name, struct dns_name *ret_to)
{
	for (unsigned i = 0; i < x->answer.n; i++) {
		struct dns_record record = record_at(x, x->answer.at[i]);

		if (record.type == DNS_TYPE_CNAME && record.klass == x->q->klass && dns_name_eq(&record.name, name)) {
			*ret_to = name_at(x, record.rdata_at);
			return true;
		}
	}
	return false;
}

static bool has_asked(const struct reading *x, const struct dns_name *name)
{
	for (unsigned i = 0; i < x->answer.n; i++) {
		struct dns_record record = record_at(x, x->answer.at[i]);

		if (is_asked(x->q, record.type) && record.klass == x->q->klass && dns_name_eq(&record.name, name))
			return true;
	}
	return false;
}

/* False: the chain has no end (a loop, or too long). */
static bool follow(struct reading *x)
{
	x->chain[0] = x->q->name;
	for (x->chain_n = 1;; x->chain_n++) {
		const struct dns_name *last = &x->chain[x->chain_n - 1];
		struct dns_name next;

		x->found = has_asked(x, last);
		if (x->found || !find_link(x, last, &next))
			return true;
		if (x->chain_n == CHAIN_MAX)
			return false;
		x->chain[x->chain_n] = next;
	}
}

/* The number of name in the chain, or -1. */
static int in_chain(const struct reading *x, const struct dns_name *name)
{
	for (unsigned i = 0; i < x->chain_n; i++)
		if (dns_name_eq(&x->chain[i], name))
			return (int)i;
	return -1;
}

/* The number of the first name of the chain that lies in zone, or -1. */
static int first_under(const struct reading *x, const struct dns_name *zone)
{
	for (unsigned i = 0; i < x->chain_n; i++)
		if (dns_name_under(&x->chain[i], zone))
			return (int)i;
	return -1;
}

/* The type that a signature covers; other records stand for themselves. */
static uint16_t meant(const struct reading *x, const struct dns_record *record)
{
	return record->type == DNS_TYPE_RRSIG && record->rdata_n >= 18 ? dns_get_u16(x->r.p + record->rdata_at)
								       : record->type;
}

static unsigned place_of(const struct reading *x, const struct dns_record *record)
{
	uint16_t type = meant(x, record);
	int i = in_chain(x, &record->name);
	bool wanted;

	if (record->klass != x->q->klass || record->type == DNS_TYPE_OPT)
		return NOT_WANTED;
	if (i < 0) {
		i = type == DNS_TYPE_DNAME ? first_under(x, &record->name) : -1;
		return i < 0 ? NOT_WANTED : 2 * (unsigned)i;
	}
	wanted = (unsigned)i + 1 == x->chain_n ? is_asked(x->q, type) || is_asked(x->q, record->type)
					       : type == DNS_TYPE_CNAME;
	return wanted ? 2 * (unsigned)i + 1 : NOT_WANTED;
}

static bool in_zones(const struct reading *x, const struct dns_name *name, bool apex)
{
	for (unsigned i = 0; i < x->zones_n; i++)
		if (apex ? dns_name_eq(name, &x->zones[i]) : dns_name_under(name, &x->zones[i]))
			return true;
	return false;
}

static void add_zone(struct reading *x, const struct dns_name *zone)
{
	if (x->zones_n < ZONES_MAX && !in_zones(x, zone, true) && first_under(x, zone) >= 0)
		x->zones[x->zones_n++] = *zone;
}

/* Zones whose proofs are taken: they have an SOA here, or signed something of the answer. A chain
 * may lead through many, and each may have to prove something: that no name stands before its
 * wildcard. */
static void find_zones(struct reading *x)
{
	for (unsigned i = 0; i < x->authority.n; i++) {
		struct dns_record record = record_at(x, x->authority.at[i]);

		if (record.type == DNS_TYPE_SOA && record.klass == x->q->klass)
			add_zone(x, &record.name);
	}
	for (unsigned i = 0; i < x->answer.n; i++) {
		struct dns_record record = record_at(x, x->answer.at[i]);
		struct dns_name signer;

		if (record.type != DNS_TYPE_RRSIG || record.rdata_n <= 18)
			continue;
		signer = name_at(x, record.rdata_at + 18);
		add_zone(x, &signer);
	}
}

/* The authority section has no order. */
static unsigned place_of_proof(const struct reading *x, const struct dns_record *record)
{
	uint16_t type = meant(x, record);
	bool wanted = false;

	if (type == DNS_TYPE_SOA)
		wanted = in_zones(x, &record->name, true);
	else if (type == DNS_TYPE_NSEC || type == DNS_TYPE_NSEC3)
		wanted = in_zones(x, &record->name, false);
	return wanted && record->klass == x->q->klass ? 0 : NOT_WANTED;
}

/* ---- keeping ---- */

/* How long an SOA lets "no such thing" hold (RFC 2308 5): its own TTL or its minimum, the last of
 * its numbers, within reason. */
static uint32_t negative_ttl(const struct reading *x, const struct dns_record *record)
{
	struct dns_reader r = x->r;
	uint32_t minimum;

	if (record->rdata_n < SOA_TAIL_SIZE)
		return 0;
	r.at = record->rdata_at + record->rdata_n - 4u;
	minimum = dns_read_u32(&r);
	if (minimum > record->ttl)
		minimum = record->ttl;
	return minimum < NEGATIVE_TTL_MAX ? minimum : NEGATIVE_TTL_MAX;
}

static bool keep(struct reading *x, const struct dns_record *record)
{
	uint32_t ttl = record->ttl;
	size_t length_at;

	if (record->type == DNS_TYPE_SOA && !x->found) {
		ttl = negative_ttl(x, record);
		x->has_soa = true;
	}
	if (ttl < x->ttl)
		x->ttl = ttl;
	dns_write_name(&x->w, &record->name, true);
	dns_write_u16(&x->w, record->type);
	dns_write_u16(&x->w, record->klass);
	x->ttl_at[x->kept++] = (uint16_t)x->w.n;
	dns_write_u32(&x->w, ttl);
	length_at = x->w.n;
	dns_write_u16(&x->w, 0);
	if (!copy_data(x->r, record, &x->w) || x->w.error)
		return false;
	dns_put_u16(x->w.p + length_at, (uint16_t)(x->w.n - length_at - 2));
	return true;
}

static bool keep_section(struct reading *x, struct section *s, unsigned places,
	unsigned (*place)(const struct reading *, const struct dns_record *))
{
	for (unsigned i = 0; i < s->n; i++) {
		struct dns_record record = record_at(x, s->at[i]);

		s->place[i] = (uint8_t)place(x, &record);
	}
	for (unsigned at = 0; at < places; at++)
		for (unsigned i = 0; i < s->n; i++) {
			struct dns_record record;

			if (s->place[i] != at)
				continue;
			record = record_at(x, s->at[i]);
			if (!keep(x, &record))
				return false;
		}
	return true;
}

/* Name servers below the question instead of an answer: who sends that is no resolver. */
static bool is_referral(const struct reading *x)
{
	if (x->found || x->chain_n > 1 || x->zones_n > 0)
		return false;
	for (unsigned i = 0; i < x->authority.n; i++)
		if (record_at(x, x->authority.at[i]).type == DNS_TYPE_NS)
			return true;
	return false;
}

static struct dns_answer *answer_new(const struct reading *x, unsigned rcode, unsigned answers_n)
{
	size_t head = offsetof(struct dns_answer, ttl_at) + x->kept * sizeof(x->ttl_at[0]);
	struct dns_answer *a = mem_alloc(head + x->w.n);

	atomic_init(&a->refs, 1);
	atomic_init(&a->turn, 0);
	a->rcode = (uint16_t)rcode;
	a->answers_n = (uint16_t)answers_n;
	a->records_n = (uint16_t)x->kept;
	/* Without an SOA "no such thing" must not be kept (RFC 2308 5). */
	a->ttl = x->found || x->has_soa ? x->ttl : 0;
	a->message_n = x->w.n;
	a->message = (uint8_t *)a + head;
	memcpy(a->ttl_at, x->ttl_at, x->kept * sizeof(x->ttl_at[0]));
	memcpy(a->message, x->w.p, x->w.n);
	return a;
}

/* The question and what is kept, into x->w. */
static int write_kept(struct reading *x, unsigned rcode, struct dns_answer **ret)
{
	struct dns_header h = { .flags = (uint16_t)(DNS_QR | DNS_RD | DNS_RA | rcode), .questions = 1 };
	struct dns_name name = x->q->name;
	unsigned answers_n;

	dns_name_lower(&name);
	x->w.n = DNS_HEADER_SIZE;
	dns_write_name(&x->w, &name, true);
	dns_write_u16(&x->w, x->q->type);
	dns_write_u16(&x->w, x->q->klass);
	if (!keep_section(x, &x->answer, 2 * x->chain_n, place_of))
		return -EPROTO;
	answers_n = x->kept;
	/* All about somebody else. */
	if (answers_n == 0 && x->answer.n > 0)
		return -EPROTO;
	if (!keep_section(x, &x->authority, 1, place_of_proof))
		return -EPROTO;
	h.answers = (uint16_t)answers_n;
	h.authorities = (uint16_t)(x->kept - answers_n);
	*ret = answer_new(x, rcode, answers_n);
	dns_writer_init(&x->w, (*ret)->message, DNS_HEADER_SIZE);
	dns_write_header(&x->w, &h);
	return 0;
}

static bool is_final(unsigned rcode)
{
	return rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN || rcode == DNS_YXDOMAIN;
}

/* Everything but writing. */
static bool read_message(struct reading *x, const struct dns_header *h)
{
	struct dns_question repeated;

	dns_read_question(&x->r, &repeated);
	if (!read_section(x, h->answers, &x->answer) || !read_section(x, h->authorities, &x->authority) ||
		!read_rest(x, h->additionals) || !follow(x))
		return false;
	find_zones(x);
	return !is_referral(x);
}

int dns_answer_read(struct span message, const struct dns_question *q, struct dns_answer **ret)
{
	struct reading *x;
	struct dns_header h;
	int r = -EPROTO;

	x = mem_alloc(sizeof(*x) + DNS_MESSAGE_MAX);
	x->q = q;
	x->chain_n = x->zones_n = x->kept = 0;
	x->found = x->has_soa = false;
	x->ttl = INT32_MAX;
	dns_reader_init(&x->r, message);
	dns_writer_init(&x->w, x + 1, DNS_MESSAGE_MAX);
	dns_read_header(&x->r, &h);
	if (!x->r.error && h.questions == 1 && is_final(h.flags & DNS_RCODE) && read_message(x, &h))
		r = write_kept(x, h.flags & DNS_RCODE, ret);
	mem_free(x);
	return r;
}

/* ---- use ---- */

struct dns_answer *dns_answer_ref(struct dns_answer *a)
{
	atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
	return a;
}

struct dns_answer *dns_answer_unref(struct dns_answer *a)
{
	if (a && atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) == 1)
		mem_free(a);
	return NULL;
}

unsigned dns_answer_rcode(const struct dns_answer *a)
{
	return a->rcode;
}

uint32_t dns_answer_ttl(const struct dns_answer *a)
{
	return a->ttl;
}

size_t dns_answer_bytes(const struct dns_answer *a)
{
	return sizeof(*a) + a->records_n * sizeof(a->ttl_at[0]) + a->message_n;
}

static uint32_t ttl_of(const struct dns_answer *a, unsigned i)
{
	const uint8_t *p = a->message + a->ttl_at[i];

	return (uint32_t)dns_get_u16(p) << 16 | dns_get_u16(p + 2);
}

static void put_u32(uint8_t *p, uint32_t v)
{
	dns_put_u16(p, (uint16_t)(v >> 16));
	dns_put_u16(p + 2, (uint16_t)v);
}

static void put_ttls(const struct dns_answer *a, uint32_t age_s, bool stale, uint8_t *out)
{
	for (unsigned i = 0; i < a->records_n; i++) {
		uint32_t ttl = ttl_of(a, i);

		put_u32(out + a->ttl_at[i], stale ? DNS_STALE_TTL : ttl > age_s ? ttl - age_s : 0);
	}
}

/* The next of several addresses stands first each time, for many clients take the first: the data
 * change places, and the order of a set means nothing else (RFC 1034 3.6). */
static void rotate_addresses(struct dns_answer *a, uint16_t type, uint8_t *out)
{
	uint16_t at[ROTATED_MAX];
	unsigned n = 0, size = type == DNS_TYPE_A ? 4 : 16, first;

	if (type != DNS_TYPE_A && type != DNS_TYPE_AAAA)
		return;
	for (unsigned i = 0; i < a->answers_n && n < ROTATED_MAX; i++)
		if (dns_get_u16(a->message + a->ttl_at[i] - 4) == type)
			at[n++] = (uint16_t)(a->ttl_at[i] + 6);
	if (n < 2)
		return;
	first = atomic_fetch_add_explicit(&a->turn, 1, memory_order_relaxed) % n;
	for (unsigned i = 0; i < n; i++)
		memcpy(out + at[i], a->message + at[(first + i) % n], size);
}

size_t dns_answer_write(struct dns_answer *a, const struct dns_query *q, uint32_t age_s, bool stale, uint8_t *out,
	size_t max)
{
	struct dns_edns edns = { .udp_size = DNS_UDP_MAX, .dnssec_ok = q->edns.dnssec_ok, .ede = DNS_EDE_NONE };
	struct dns_writer w;

	if (stale)
		edns.ede = a->rcode == DNS_NXDOMAIN ? DNS_EDE_STALE_NXDOMAIN : DNS_EDE_STALE;
	dns_writer_init(&w, out, max);
	dns_write_bytes(&w, a->message, a->message_n);
	if (q->edns.present)
		dns_write_edns(&w, &edns);
	if (w.error)
		return dns_reply_empty(q, DNS_RA | DNS_TC, a->rcode, edns.ede, out, max);
	dns_put_u16(out, q->id);
	dns_put_u16(out + 2, (uint16_t)(DNS_QR | DNS_RA | (q->flags & (DNS_RD | DNS_CD)) | a->rcode));
	dns_put_u16(out + 10, q->edns.present);
	memcpy(out + DNS_HEADER_SIZE, q->question, q->question_n);
	put_ttls(a, age_s, stale, out);
	rotate_addresses(a, q->q.type, out);
	return w.n;
}

bool dns_answer_next(const struct dns_answer *a, uint16_t type, size_t *at, struct span *ret_data, uint32_t *ret_ttl)
{
	while (*at < a->answers_n) {
		unsigned i = (unsigned)(*at)++;
		const uint8_t *p = a->message + a->ttl_at[i];

		if (dns_get_u16(p - 4) != type)
			continue;
		*ret_data = span_make(p + 6, dns_get_u16(p + 4));
		*ret_ttl = ttl_of(a, i);
		return true;
	}
	return false;
}

struct span dns_answer_message(const struct dns_answer *a)
{
	return span_make(a->message, a->message_n);
}
