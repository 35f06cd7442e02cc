/*
 * Writing a message into a fixed place.
 *
 * Compression: the writer remembers where the first names stand, each with its ends; a later name
 * takes the longest end that stands there already. 32 places are enough for what answers repeat.
 * Only ends of the same length are compared: else names of a hundred labels that differ in the last
 * ones would be compared label by label a thousand times each.
 */
#include "dns/dns_priv.h"

#define POINTER_MAX 0x3fff

void dns_writer_init(struct dns_writer *w, void *p, size_t max)
{
	w->p = p;
	w->n = 0;
	w->max = max;
	w->error = false;
	w->names_n = 0;
}

uint8_t *dns_writer_room(struct dns_writer *w, size_t n)
{
	uint8_t *p = w->p + w->n;

	if (w->error || n > w->max - w->n) {
		w->error = true;
		return NULL;
	}
	w->n += n;
	return p;
}

void dns_write_u16(struct dns_writer *w, uint16_t v)
{
	uint8_t *p = dns_writer_room(w, 2);

	if (p)
		dns_put_u16(p, v);
}

void dns_write_u32(struct dns_writer *w, uint32_t v)
{
	dns_write_u16(w, (uint16_t)(v >> 16));
	dns_write_u16(w, (uint16_t)v);
}

void dns_write_bytes(struct dns_writer *w, const void *p, size_t n)
{
	uint8_t *to = dns_writer_room(w, n);

	if (to && n > 0)
		memcpy(to, p, n);
}

/* Does the name that stands at `at` equal name? What we wrote needs no checks. */
static bool stands_at(const struct dns_writer *w, size_t at, const uint8_t *name)
{
	for (;;) {
		unsigned n;

		while (w->p[at] >= 0xc0)
			at = dns_get_u16(w->p + at) & POINTER_MAX;
		n = w->p[at];
		if (n != name[0])
			return false;
		if (n == 0)
			return true;
		for (unsigned i = 1; i <= n; i++)
			if (ascii_lower((char)w->p[at + i]) != ascii_lower((char)name[i]))
				return false;
		at += 1u + n;
		name += 1u + n;
	}
}

/* name: of n bytes. */
static int find(const struct dns_writer *w, const uint8_t *name, size_t n)
{
	for (unsigned i = 0; i < w->names_n; i++)
		if (w->lengths[i] == n && stands_at(w, w->names[i], name))
			return w->names[i];
	return -1;
}

void dns_write_name(struct dns_writer *w, const struct dns_name *name, bool compress)
{
	const uint8_t *p = name->p;
	unsigned known = w->names_n;

	while (p[0] != 0) {
		size_t left = name->n - (size_t)(p - name->p);
		int to = compress ? find(w, p, left) : -1;

		if (to >= 0) {
			dns_write_u16(w, (uint16_t)(0xc000 | to));
			break;
		}
		if (known < DNS_WRITER_NAMES && w->n <= POINTER_MAX) {
			w->names[known] = (uint16_t)w->n;
			w->lengths[known++] = (uint8_t)left;
		}
		dns_write_bytes(w, p, 1u + p[0]);
		p += 1u + p[0];
	}
	if (p[0] == 0)
		dns_write_bytes(w, p, 1);
	/* Only whole names can be meant. */
	if (!w->error)
		w->names_n = known;
}

void dns_write_header(struct dns_writer *w, const struct dns_header *h)
{
	dns_write_u16(w, h->id);
	dns_write_u16(w, h->flags);
	dns_write_u16(w, h->questions);
	dns_write_u16(w, h->answers);
	dns_write_u16(w, h->authorities);
	dns_write_u16(w, h->additionals);
}

/* OPT: root, type 41, class = size, TTL = rcode, version and DO (RFC 6891 6.1.2); option 15 is RFC
 * 8914's. */
void dns_write_edns(struct dns_writer *w, const struct dns_edns *e)
{
	dns_write_bytes(w, "", 1);
	dns_write_u16(w, DNS_TYPE_OPT);
	dns_write_u16(w, e->udp_size);
	dns_write_u16(w, (uint16_t)(e->rcode_high << 8 | e->version));
	dns_write_u16(w, e->dnssec_ok ? 0x8000 : 0);
	dns_write_u16(w, e->ede >= 0 ? DNS_EDNS_EDE_SIZE : 0);
	if (e->ede >= 0) {
		dns_write_u16(w, DNS_OPTION_EDE);
		dns_write_u16(w, 2);
		dns_write_u16(w, (uint16_t)e->ede);
	}
}
