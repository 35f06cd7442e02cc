/*
 * The data of records for people, in the form of zone files (RFC 1035 5.1, RFC 3597 5).
 *
 * A type's data is a row of fields, and a field is a letter: MX is "2n", a number of two bytes and
 * a name. Data that do not end where their fields do, and types without a row, are printed as RFC
 * 3597's \# LENGTH HEX: whatever came is shown, and nothing that came can break a line. Names may
 * be compressed and may then lead anywhere before in the message.
 */
#include <arpa/inet.h>
#include <time.h>
#include "dns/dns_priv.h"

static const struct {
	uint16_t type;
	const char *fields;
} formats[] = {
	{ DNS_TYPE_A, "a" },
	{ DNS_TYPE_NS, "n" },
	{ DNS_TYPE_CNAME, "n" },
	{ DNS_TYPE_SOA, "nn44444" },
	{ DNS_TYPE_MB, "n" },
	{ DNS_TYPE_MG, "n" },
	{ DNS_TYPE_MR, "n" },
	{ DNS_TYPE_PTR, "n" },
	{ DNS_TYPE_HINFO, "tt" },
	{ DNS_TYPE_MINFO, "nn" },
	{ DNS_TYPE_MX, "2n" },
	{ DNS_TYPE_TXT, "T" },
	{ DNS_TYPE_RP, "nn" },
	{ DNS_TYPE_AFSDB, "2n" },
	{ DNS_TYPE_RT, "2n" },
	{ DNS_TYPE_PX, "2nn" },
	{ DNS_TYPE_AAAA, "b" },
	{ DNS_TYPE_SRV, "222n" },
	{ DNS_TYPE_NAPTR, "22tttn" },
	{ DNS_TYPE_KX, "2n" },
	{ DNS_TYPE_CERT, "221B" },
	{ DNS_TYPE_DNAME, "n" },
	{ DNS_TYPE_DS, "211x" },
	{ DNS_TYPE_SSHFP, "11x" },
	{ DNS_TYPE_RRSIG, "y114dd2nB" },
	{ DNS_TYPE_NSEC, "nY" },
	{ DNS_TYPE_DNSKEY, "211B" },
	{ DNS_TYPE_NSEC3, "112SHY" },
	{ DNS_TYPE_NSEC3PARAM, "112S" },
	{ DNS_TYPE_TLSA, "111x" },
	{ DNS_TYPE_SMIMEA, "111x" },
	{ DNS_TYPE_CDS, "211x" },
	{ DNS_TYPE_CDNSKEY, "211B" },
	{ DNS_TYPE_OPENPGPKEY, "B" },
	{ DNS_TYPE_SVCB, "2nP" },
	{ DNS_TYPE_HTTPS, "2nP" },
	{ DNS_TYPE_SPF, "T" },
	{ DNS_TYPE_URI, "22q" },
	{ DNS_TYPE_CAA, "1sq" },
};

static struct span rest_of(struct dns_reader *r)
{
	return dns_read_bytes(r, r->error ? 0 : r->n - r->at);
}

/* ---- numbers and names ---- */

static void put_u8(struct dns_reader *r, struct buf *out)
{
	buf_add_u64(out, dns_read_u8(r));
}

static void put_u16(struct dns_reader *r, struct buf *out)
{
	buf_add_u64(out, dns_read_u16(r));
}

static void put_u32(struct dns_reader *r, struct buf *out)
{
	buf_add_u64(out, dns_read_u32(r));
}

static void put_address(struct dns_reader *r, struct buf *out, int family, size_t n)
{
	struct span data = dns_read_bytes(r, n);
	char text[INET6_ADDRSTRLEN];

	if (data.p && inet_ntop(family, data.p, text, sizeof(text)))
		buf_add_text(out, text);
}

static void put_v4(struct dns_reader *r, struct buf *out)
{
	put_address(r, out, AF_INET, 4);
}

static void put_v6(struct dns_reader *r, struct buf *out)
{
	put_address(r, out, AF_INET6, 16);
}

static void put_name(struct dns_reader *r, struct buf *out)
{
	char text[DNS_NAME_TEXT_SIZE];
	struct dns_name name;

	dns_read_name(r, &name);
	buf_add(out, text, dns_name_text(&name, text));
	if (name.n > 1)
		buf_add_char(out, '.');
}

static void put_type(struct dns_reader *r, struct buf *out)
{
	buf_add_text(out, dns_type_text(dns_read_u16(r)));
}

/* RFC 4034 3.2: YYYYMMDDHHmmSS. */
static void put_time(struct dns_reader *r, struct buf *out)
{
	time_t t = dns_read_u32(r);
	struct tm tm;
	char text[32];

	if (gmtime_r(&t, &tm))
		buf_add(out, text, strftime(text, sizeof(text), "%Y%m%d%H%M%S", &tm));
}

/* ---- bytes ---- */

static void put_quoted(struct span s, struct buf *out)
{
	buf_add_char(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		uint8_t byte = (uint8_t)s.p[i];

		if (byte < ' ' || byte >= 0x7f)
			buf_addf(out, "\\%03u", byte);
		else if (byte == '"' || byte == '\\')
			buf_addf(out, "\\%c", byte);
		else
			buf_add_char(out, (char)byte);
	}
	buf_add_char(out, '"');
}

static struct span read_string(struct dns_reader *r)
{
	return dns_read_bytes(r, dns_read_u8(r));
}

static void put_string(struct dns_reader *r, struct buf *out)
{
	put_quoted(read_string(r), out);
}

/* One or more, to the end. */
static void put_strings(struct dns_reader *r, struct buf *out)
{
	do {
		put_string(r, out);
		if (r->at < r->n)
			buf_add_char(out, ' ');
	} while (!r->error && r->at < r->n);
}

static void put_rest_quoted(struct dns_reader *r, struct buf *out)
{
	put_quoted(rest_of(r), out);
}

/* RFC 8659 4.1: letters and digits, at least one. */
static void put_tag(struct dns_reader *r, struct buf *out)
{
	struct span tag = read_string(r);

	for (size_t i = 0; i < tag.n; i++) {
		char c = ascii_lower(tag.p[i]);

		r->error |= !ascii_digit(c) && (c < 'a' || c > 'z');
	}
	r->error |= tag.n == 0;
	buf_add_span(out, tag);
}

static void put_hex(struct dns_reader *r, struct buf *out)
{
	struct span data = rest_of(r);

	r->error |= data.n == 0;
	buf_add_hex(out, data.p, data.n);
}

/* The digits of data, bits of it each, the last filled up with zeros (RFC 4648). */
static void put_digits(struct span data, unsigned bits, const char *digits, struct buf *out)
{
	unsigned held = 0, n = 0;

	for (size_t i = 0; i < data.n; i++) {
		held = (held << 8 | (uint8_t)data.p[i]) & 0xffff;
		for (n += 8; n >= bits; n -= bits)
			buf_add_char(out, digits[held >> (n - bits) & ((1u << bits) - 1)]);
	}
	if (n > 0)
		buf_add_char(out, digits[held << (bits - n) & ((1u << bits) - 1)]);
}

static void put_base64(struct dns_reader *r, struct buf *out)
{
	struct span data = rest_of(r);

	r->error |= data.n == 0;
	put_digits(data, 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", out);
	buf_add(out, "==", (3 - data.n % 3) % 3);
}

/* RFC 5155 3.3: base32 with the extended hex alphabet, without filling. */
static void put_hash(struct dns_reader *r, struct buf *out)
{
	struct span data = read_string(r);

	r->error |= data.n == 0;
	put_digits(data, 5, "0123456789abcdefghijklmnopqrstuv", out);
}

static void put_salt(struct dns_reader *r, struct buf *out)
{
	struct span data = read_string(r);

	if (data.n > 0)
		buf_add_hex(out, data.p, data.n);
	else
		buf_add_char(out, '-');
}

/* RFC 4034 4.1.2: windows of 256 types in increasing order, each with a bitmap of 1 to 32 bytes. */
static void put_types(struct dns_reader *r, struct buf *out)
{
	const char *between = "";
	int last = -1;

	while (!r->error && r->at < r->n) {
		int window = dns_read_u8(r);
		struct span map = read_string(r);

		if (window <= last || map.n == 0 || map.n > 32) {
			r->error = true;
			return;
		}
		last = window;
		for (unsigned i = 0; i < 8 * map.n; i++)
			if (map.p[i / 8] & 0x80 >> i % 8) {
				buf_addf(out, "%s%s", between, dns_type_text((uint16_t)((unsigned)window << 8 | i)));
				between = " ";
			}
	}
}

/* ---- parameters of services (RFC 9460 2.1) ---- */

static void put_key(struct dns_reader *r, struct buf *out);

static void put_nothing(struct dns_reader *r, struct buf *out)
{
	(void)r, (void)out;
}

/* Values of which a list has many, between commas. */
static const struct {
	const char *name;
	void (*put)(struct dns_reader *r, struct buf *out);
} params[] = {
	{ "mandatory", put_key },
	{ "alpn", put_string },
	{ "no-default-alpn", put_nothing },
	{ "port", put_u16 },
	{ "ipv4hint", put_v4 },
	{ "ech", put_base64 },
	{ "ipv6hint", put_v6 },
};

static void put_param_key(unsigned key, struct buf *out)
{
	if (key < array_len(params))
		buf_add_text(out, params[key].name);
	else
		buf_addf(out, "key%u", key);
}

static void put_key(struct dns_reader *r, struct buf *out)
{
	put_param_key(dns_read_u16(r), out);
}

static void put_params(struct dns_reader *r, struct buf *out)
{
	const char *between = "";

	while (!r->error && r->at < r->n) {
		unsigned key = dns_read_u16(r);
		struct span value = dns_read_bytes(r, dns_read_u16(r));
		struct dns_reader v;

		dns_reader_init(&v, value);
		buf_add_text(out, between);
		put_param_key(key, out);
		if (key >= array_len(params) && value.n > 0) {
			buf_add_char(out, '=');
			put_quoted(value, out);
		}
		for (const char *sign = "="; key < array_len(params) && !v.error && v.at < v.n; sign = ",") {
			size_t at = v.at;

			buf_add_text(out, sign);
			params[key].put(&v, out);
			v.error |= v.at == at;
		}
		r->error |= v.error;
		between = " ";
	}
}

/* ---- records ---- */

static void (*const fields[128])(struct dns_reader *r, struct buf *out) = {
	['1'] = put_u8,
	['2'] = put_u16,
	['4'] = put_u32,
	['a'] = put_v4,
	['b'] = put_v6,
	['n'] = put_name,
	['y'] = put_type,
	['d'] = put_time,
	['t'] = put_string,
	['T'] = put_strings,
	['q'] = put_rest_quoted,
	['s'] = put_tag,
	['x'] = put_hex,
	['B'] = put_base64,
	['H'] = put_hash,
	['S'] = put_salt,
	['Y'] = put_types,
	['P'] = put_params,
};

static const char *fields_of(uint16_t type)
{
	for (unsigned i = 0; i < array_len(formats); i++)
		if (formats[i].type == type)
			return formats[i].fields;
	return NULL;
}

/* False: the data are not what the type wants. */
static bool put_fields(struct dns_reader *r, const char *letters, struct buf *out)
{
	size_t start = out->n;

	for (const char *p = letters; *p; p++) {
		size_t before;

		if (p > letters)
			buf_add_char(out, ' ');
		before = out->n;
		fields[(unsigned char)*p](r, out);
		/* A list may be empty. */
		if (p > letters && out->n == before && out->n > start)
			out->n--;
	}
	return !r->error && r->at == r->n;
}

void dns_record_text(struct span message, const struct dns_record *record, struct buf *out)
{
	const char *letters = fields_of(record->type);
	struct dns_reader r;
	size_t start = out->n;

	must(record->rdata_at + record->rdata_n <= message.n);
	dns_reader_init(&r, span_sub(message, 0, record->rdata_at + record->rdata_n));
	r.at = record->rdata_at;
	if (letters && record->klass == DNS_CLASS_IN && put_fields(&r, letters, out))
		return;
	out->n = start;
	buf_addf(out, "\\# %u", record->rdata_n);
	if (record->rdata_n > 0)
		buf_add_char(out, ' ');
	buf_add_hex(out, message.p + record->rdata_at, record->rdata_n);
}

const char *dns_ede_text(int ede)
{
	static const char *const texts[] = { "Other Error", "Unsupported DNSKEY Algorithm",
		"Unsupported DS Digest Type", "Stale Answer", "Forged Answer", "DNSSEC Indeterminate", "DNSSEC Bogus",
		"Signature Expired", "Signature Not Yet Valid", "DNSKEY Missing", "RRSIGs Missing",
		"No Zone Key Bit Set", "NSEC Missing", "Cached Error", "Not Ready", "Blocked", "Censored", "Filtered",
		"Prohibited", "Stale NXDOMAIN Answer", "Not Authoritative", "Not Supported", "No Reachable Authority",
		"Network Error", "Invalid Data" };

	return ede >= 0 && (size_t)ede < array_len(texts) ? texts[ede] : "";
}
