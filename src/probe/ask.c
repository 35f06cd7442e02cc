/*
 * One hello and its answer; one real handshake. Whatever an answer tells is entered into the probe
 * here, so that the plan (probe.c) only has to decide what to ask next.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "probe/probe_priv.h"

#define READ_AT_ONCE 4096

uint16_t probe_version_number(enum probe_version v)
{
	return v == PROBE_SSL2 ? WIRE_SSL2 : (uint16_t)(WIRE_SSL3 + (v - PROBE_SSL3));
}

static enum probe_version version_of(uint16_t number)
{
	return number == WIRE_SSL2 ? PROBE_SSL2 : (enum probe_version)(PROBE_SSL3 + (number - WIRE_SSL3));
}

/* ---- what an answer tells ---- */

void probe_add_chain(struct probe *p, const struct span *chain, unsigned n)
{
	struct probe_cert *c;

	if (n == 0 || p->certs_n == PROBE_CERTS_MAX)
		return;
	for (unsigned i = 0; i < p->certs_n; i++)
		if (span_eq(p->certs[i]->chain[0], chain[0]))
			return;
	c = probe_cert_read(chain, n, p->host, p->settings->store, clock_wall_s(), p->arena);
	if (c)
		p->certs[p->certs_n++] = c;
}

static void add_versions(struct probe *p, uint16_t offered, uint16_t chosen)
{
	enum probe_version top = version_of(offered), v = version_of(chosen);

	p->versions[v] = PROBE_YES;
	/* It would have taken a higher one. */
	for (unsigned i = v + 1; i <= top; i++)
		if (p->versions[i] == PROBE_NOT_ASKED)
			p->versions[i] = PROBE_NO;
}

static void add_hello(struct probe *p, const struct wire_hello *h, const struct wire_flight *f)
{
	add_versions(p, h->version, f->version);
	if (f->version == WIRE_SSL2)
		return;
	offer_add(f->version == WIRE_TLS13 ? &p->suites_13 : &p->suites, f->suite);
	if (offer_weaknesses(f->suite))
		p->obsolete = PROBE_YES;
	if (f->group)
		offer_add(&p->groups, f->group);
	if (f->signature)
		offer_add(&p->signatures, f->signature);
	if (f->dh_bits && (p->dh_bits == 0 || f->dh_bits < p->dh_bits))
		p->dh_bits = f->dh_bits;
	if (f->version < WIRE_TLS13 && !f->secure_renegotiation)
		p->no_secure_renegotiation = true;
	p->extended_master_secret |= f->extended_master_secret;
	p->compression |= f->compression;
	p->wants_client_cert |= f->wants_client_cert;
}

/* ---- the answer ---- */

static enum ask_end end_of(int r, const struct wire_flight *f)
{
	/* One that chooses, shows its certificate and then gives up, as when it cannot sign, does
	 * not speak it. */
	if (f->version && (f->whole || f->alert == WIRE_NO_ALERT || f->alert == 0))
		return ASK_HELLO;
	if (f->alert != WIRE_NO_ALERT && f->alert != 0)
		return ASK_REFUSED;
	if (r == -EPROTO || r == -EMSGSIZE)
		return ASK_NOT_TLS;
	return r == -ETIMEDOUT ? ASK_SILENT : ASK_CLOSED;
}

/* Reads until the flight is complete or nothing more comes; f tells what came in either case. 0, or
 * why it ended. */
static int read_flight(struct conn *c, struct buf *in, struct arena *a, struct wire_flight *f, uint64_t deadline)
{
	for (;;) {
		char *room = buf_room(in, READ_AT_ONCE);
		ssize_t got = room ? conn_recv(c, room, READ_AT_ONCE, deadline) : -EMSGSIZE;
		int r;

		if (got > 0)
			buf_grew(in, (size_t)got);
		if (got > 0 && in->n < wire_flight_need(buf_span(in)))
			continue;
		arena_reset(a);
		r = wire_flight_read(buf_span(in), a, f);
		if (r != 0)
			return r < 0 ? r : 0;
		if (got <= 0)
			return got < 0 ? (int)got : -ECONNRESET;
	}
}

static int send_hello(struct conn *c, const struct wire_hello *h, uint64_t deadline)
{
	_cleanup_(buf_done) struct buf out = BUF_INIT(WIRE_HELLO_MAX);
	uint8_t random[64];

	rand_bytes(random, sizeof(random));
	wire_hello_write(h, random, &out);
	return conn_write(c, out.p, out.n, deadline);
}

int probe_ask(struct probe *p, const struct wire_hello *h, struct ask *ret)
{
	_cleanup_(buf_done) struct buf in = BUF_INIT(WIRE_FLIGHT_MAX + READ_AT_ONCE);
	_cleanup_(arena_done) struct arena a;
	uint64_t deadline;
	struct session s;
	int r = session_open(p, &s);

	arena_init(&a, 1 << 14);
	*ret = (struct ask){ .flight = { .alert = WIRE_NO_ALERT } };
	if (r)
		return r;
	s.version = h->version;
	deadline = deadline_in(p->settings->answer_ms);
	r = send_hello(s.smtp.conn, h, deadline);
	if (r == 0)
		r = read_flight(s.smtp.conn, &in, &a, &ret->flight, deadline);
	if (r == -ECANCELED) {
		smtp_client_done(&s.smtp);
		return r;
	}
	ret->error = r;
	ret->end = end_of(r, &ret->flight);
	if (ret->end == ASK_HELLO)
		add_hello(p, h, &ret->flight);
	if (ret->end == ASK_REFUSED)
		p->alert = ret->flight.alert;
	if (ret->end == ASK_NOT_TLS)
		probe_end(p, p->verdict, buf_span(&in), r);
	probe_add_chain(p, ret->flight.chain, ret->flight.chain_n);
	ret->flight.chain_n = 0;
	ret->flight.v2_suites = SPAN("");
	session_drop(&s, ret->end == ASK_HELLO && r == 0 && h->version != WIRE_SSL2);
	return 0;
}

/* ---- a real handshake ---- */

static void add_session(struct probe *p, struct conn *c)
{
	_cleanup_(arena_done) struct arena a;
	struct tls_info info;
	struct tls_peer peer;

	arena_init(&a, 1 << 14);
	must(tls_conn_info(c, &info) && tls_conn_peer(c, &a, &peer));
	probe_add_chain(p, peer.chain, peer.chain_n);
	p->session = true;
	p->versions[version_of(info.number)] = PROBE_YES;
	p->session_version = arena_text(p->arena, span_of(info.version));
	p->session_suite = arena_text(p->arena, span_of(info.suite));
	p->session_group = peer.group ? arena_text(p->arena, span_of(peer.group)) : NULL;
}

int probe_shake(struct probe *p, const char *signatures, uint16_t highest, bool *ret_done)
{
	struct tls_client_settings settings = { .no_verify = true,
		.starttls = p->settings->smtp,
		.lenient = true,
		.signatures = signatures,
		.highest = highest };
	struct net_addr literal;
	struct fault *fault;
	struct session s;
	int r = session_open(p, &s);

	*ret_done = false;
	if (r)
		return r;
	if (net_addr_parse_host(p->host, &literal) < 0)
		settings.name = p->host;
	fault = arena_new(p->arena, struct fault);
	r = tls_connect(s.smtp.conn, &settings, deadline_in(p->settings->answer_ms), fault);
	if (r == -ECANCELED) {
		smtp_client_done(&s.smtp);
		return r;
	}
	*ret_done = r == 0;
	if (r < 0) {
		p->session_fault = fault;
		session_drop(&s, false);
		return 0;
	}
	p->session_fault = NULL;
	add_session(p, s.smtp.conn);
	session_finish(p, &s);
	return 0;
}
