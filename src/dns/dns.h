/*
 * DNS on the wire: names, questions, answers (RFC 1035, 2181, 2308, 3597, 6891, 8914). Pure: bytes
 * in, struct out.
 *
 *   name.c     a name in wire form, to and from text
 *   read.c     a reader with a sticky error; names with pointers
 *   write.c    a writer into a fixed place, with compression
 *   query.c    what a client asks, strictly; what we ask; does an answer belong to a question
 *   answer.c   what an upstream said, reduced to what it may say about the question; sent to a
 *              client
 *   text.c     the data of records, for people
 *
 * Names are kept uncompressed, with their root label, at most 255 bytes. Case is kept where a name
 * is repeated to the one who asked, and does not count in comparisons (RFC 4343). Numbers of types,
 * response codes and extended errors are IANA's.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

#define DNS_HEADER_SIZE 12
#define DNS_NAME_MAX    255
#define DNS_LABEL_MAX   63
#define DNS_UDP_PLAIN   512  /* without EDNS */
#define DNS_UDP_MAX     1232 /* what is never fragmented: DNS flag day 2020 */
#define DNS_MESSAGE_MAX 65535
#define DNS_PORT        53

enum dns_flag {
	DNS_QR = 0x8000,
	DNS_AA = 0x0400,
	DNS_TC = 0x0200,
	DNS_RD = 0x0100,
	DNS_RA = 0x0080,
	DNS_AD = 0x0020,
	DNS_CD = 0x0010,
	DNS_RCODE = 0x000f,
	DNS_OPCODE = 0x7800,
};
enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_YXDOMAIN = 6,
	DNS_BADVERS = 16, /* needs EDNS */
};
const char *dns_rcode_text(unsigned rcode); /* "NXDOMAIN"; "RCODE77" (in a place per thread) */
/* Extended errors (RFC 8914). */
enum dns_ede {
	DNS_EDE_NONE = -1,
	DNS_EDE_STALE = 3,
	DNS_EDE_NOT_READY = 14,
	DNS_EDE_PROHIBITED = 18,
	DNS_EDE_STALE_NXDOMAIN = 19,
	DNS_EDE_NOT_AUTHORITATIVE = 20,
	DNS_EDE_NOT_SUPPORTED = 21,
	DNS_EDE_NO_REACHABLE = 22,
	DNS_EDE_NETWORK = 23,
};
/* clang-format off */
enum dns_type {
#define TYPE(name, number) DNS_TYPE_##name = number,
#include "dns/type.tbl.h"
#undef TYPE
};
/* clang-format on */
enum { DNS_CLASS_IN = 1, DNS_CLASS_NONE = 254, DNS_CLASS_ANY = 255 };
/* "A", "AAAA", "TYPE1234" (RFC 3597 5), case does not count. 0 or -EINVAL. */
int dns_type_parse(struct span text, uint16_t *ret);
/* The same back, in a place per thread. */
const char *dns_type_text(uint16_t type);

/* ---- names ---- */

struct dns_name {
	uint8_t n; /* bytes in use, at least 1 */
	uint8_t p[DNS_NAME_MAX];
};
/* "example.de" with or without the last dot, "." for the root; \. and \DDD as in RFC 1035 5.1. 0 or
 * -EINVAL. */
int dns_name_parse(struct span text, struct dns_name *ret);
/* The same back, without a last dot ("." for the root), NUL-terminated; its length. */
#define DNS_NAME_TEXT_SIZE (4 * DNS_NAME_MAX + 1)
size_t dns_name_text(const struct dns_name *name, char ret[DNS_NAME_TEXT_SIZE]);
bool dns_name_eq(const struct dns_name *a, const struct dns_name *b);
/* name is parent or lies below it. */
bool dns_name_under(const struct dns_name *name, const struct dns_name *parent);
/* Without its first label; the root stays. */
void dns_name_up(struct dns_name *name);
void dns_name_lower(struct dns_name *name);

/* ---- numbers ---- */

/* In the order of the network. */
static inline void dns_put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}
/* The same back. */
static inline uint16_t dns_get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* ---- reading ---- */

/* The error is sticky: read, read, read, then look at .error. After one, zeros and empty names
 * come. */
struct dns_reader {
	const uint8_t *p;
	size_t n, at;
	bool error;
};
void dns_reader_init(struct dns_reader *r, struct span message);
uint8_t dns_read_u8(struct dns_reader *r);
uint16_t dns_read_u16(struct dns_reader *r);
uint32_t dns_read_u32(struct dns_reader *r);
/* n bytes, borrowed. */
struct span dns_read_bytes(struct dns_reader *r, size_t n);
/* A name; each pointer must lead to before the place where the part that it ends began, so that
 * loops are impossible and the cost is bounded by 255 bytes of name. */
void dns_read_name(struct dns_reader *r, struct dns_name *ret);
void dns_skip_name(struct dns_reader *r);

struct dns_header {
	uint16_t id, flags;
	uint16_t questions, answers, authorities, additionals;
};
void dns_read_header(struct dns_reader *r, struct dns_header *ret);
struct dns_question {
	struct dns_name name;
	uint16_t type, klass;
};
void dns_read_question(struct dns_reader *r, struct dns_question *ret);
/* A record; r stands behind it then. rdata is a place in the message, where names may be
 * compressed. */
struct dns_record {
	struct dns_name name;
	uint16_t type, klass;
	uint32_t ttl;    /* over 2^31: 0 (RFC 2181 8) */
	size_t rdata_at; /* from the message's start */
	uint16_t rdata_n;
};
void dns_read_record(struct dns_reader *r, struct dns_record *ret);

/* ---- writing ---- */

#define DNS_WRITER_NAMES 32
/* What does not fit is cut off and sets .error, which is sticky: write, write, write, then look. */
struct dns_writer {
	uint8_t *p;
	size_t n, max;
	bool error;
	unsigned names_n;
	/* where names or their ends stand that a pointer can mean */
	uint16_t names[DNS_WRITER_NAMES];
	uint8_t lengths[DNS_WRITER_NAMES]; /* and how long they are, in bytes */
};
void dns_writer_init(struct dns_writer *w, void *p, size_t max);
void dns_write_u16(struct dns_writer *w, uint16_t v);
void dns_write_u32(struct dns_writer *w, uint32_t v);
void dns_write_bytes(struct dns_writer *w, const void *p, size_t n);
/* compress: a pointer may stand for its end (RFC 1035 4.1.4; not in the data of types newer than
 * that, RFC 3597 4). */
void dns_write_name(struct dns_writer *w, const struct dns_name *name, bool compress);
void dns_write_header(struct dns_writer *w, const struct dns_header *h);

/* ---- EDNS ---- */

#define DNS_EDNS_SIZE     11 /* an OPT record without options */
#define DNS_EDNS_EDE_SIZE 6  /* an extended error without text */
#define DNS_OPTION_EDE    15 /* RFC 8914 2 */
struct dns_edns {
	bool present, dnssec_ok;
	uint8_t version;
	uint16_t udp_size;
	uint8_t rcode_high;
	int ede; /* enum dns_ede: of an answer, the first */
};
void dns_write_edns(struct dns_writer *w, const struct dns_edns *e);

/* ---- questions ---- */

/* What a client asks. */
struct dns_query {
	uint16_t id, flags;
	struct dns_question q;   /* name in lower case */
	const uint8_t *question; /* as it was asked, to be repeated; borrowed from the message */
	uint16_t question_n;     /* 0: there was none that could be read */
	struct dns_edns edns;
};
/* 0: a question that can be answered; an enum dns_rcode (FORMERR, NOTIMP, BADVERS) to answer with;
 * -EPROTO: not to be answered at all (no header, or an answer itself). */
int dns_query_parse(struct span message, struct dns_query *ret);
/* A question of ours; flags: DNS_RD, DNS_CD… Its length; room for DNS_QUERY_MAX. */
#define DNS_QUERY_MAX (DNS_HEADER_SIZE + DNS_NAME_MAX + 4 + DNS_EDNS_SIZE)
size_t dns_query_write(const struct dns_question *q, uint16_t id, uint16_t flags, const struct dns_edns *edns,
	uint8_t out[DNS_QUERY_MAX]);
/* Is message an answer to that question with that id (RFC 5452 9.1)? The question must be repeated,
 * case apart; only FORMERR and the like may leave it out. */
bool dns_response_matches(struct span message, uint16_t id, const struct dns_question *q);
/* The extended error that an answer carries (RFC 8914), or DNS_EDE_NONE. */
int dns_response_ede(struct span message);
/* The head of an answer without records: header, the question repeated, flags and rcode set, OPT if
 * the client speaks EDNS. Its length, at most max (0: not even that fits). */
size_t dns_reply_empty(const struct dns_query *q, uint16_t flags, unsigned rcode, int ede, uint8_t *out, size_t max);
/* What the client takes: by UDP 512 or what EDNS says, at most 1232. */
size_t dns_udp_limit(const struct dns_query *q);

/* ---- answers ---- */

/*
 * What is kept of an upstream's answer: the records that answer the question (the chain of CNAME
 * and DNAME from its name on, and what stands at its end, with their signatures), and of the
 * authority section SOA, NSEC and NSEC3 of zones that hold one of these names. Nothing else is
 * believed, nothing is kept for another question. Shared by threads; immutable but for the turn of
 * its addresses.
 */
struct dns_answer;
/* From a message that dns_response_matches(), with NOERROR, NXDOMAIN or YXDOMAIN. 0 and a
 * reference, or -EPROTO (malformed, or it does not answer: a referral, another code). Truncated
 * messages are for the caller to refuse. */
int dns_answer_read(struct span message, const struct dns_question *q, struct dns_answer **ret);
struct dns_answer *dns_answer_ref(struct dns_answer *a);
struct dns_answer *dns_answer_unref(struct dns_answer *a);
unsigned dns_answer_rcode(const struct dns_answer *a);
/* How long it holds, s: the shortest of its records' TTLs, for negative answers by the SOA (RFC
 * 2308 5). */
uint32_t dns_answer_ttl(const struct dns_answer *a);
size_t dns_answer_bytes(const struct dns_answer *a); /* of memory */
/* To a client: age_s is counted off the TTLs; with stale they all become DNS_STALE_TTL (RFC 8767
 * 4). Of several addresses another one is the first each time. Truncated to the question with TC if
 * it does not fit into max. */
#define DNS_STALE_TTL 30
size_t dns_answer_write(struct dns_answer *a, const struct dns_query *q, uint32_t age_s, bool stale, uint8_t *out,
	size_t max);
/* Its records of type (of the chain's end), in order: size_t at = 0; while (dns_answer_next(a,
 * type, &at, &data))… Data of types that hold no names only. */
bool dns_answer_next(const struct dns_answer *a, uint16_t type, size_t *at, struct span *ret_data, uint32_t *ret_ttl);
/* The whole message, without OPT, its id 0; for dns_reader. */
struct span dns_answer_message(const struct dns_answer *a);

/* ---- text ---- */

/* The data of a record of message as zone files have them, names with their last dot, appended to
 * out; printable ASCII without line ends. What does not fit its type, and types without a form, as
 * RFC 3597 5 says: "\# 2 abcd". */
void dns_record_text(struct span message, const struct dns_record *record, struct buf *out);
/* "Stale Answer"; "" for those that RFC 8914 does not have. */
const char *dns_ede_text(int ede);
