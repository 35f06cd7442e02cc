/* The conversation with a backend. See mail/mta.h. */
#include "mail/mta.h"
#include <errno.h>
#include <stdio.h>
#include "mail/mta_priv.h"

#define QUIT_MS 2000

const char *mta_text(const struct mta *m)
{
	return m->backend->text;
}

bool mta_is_for(const struct mta *m, const struct domain *d, enum domain_mail_tls tls)
{
	if (m->backend->port != d->mail.port || !span_eq(span_of(m->backend->host), d->mail.host) ||
		m->handed_on != d->mail_client)
		return false;
	return m->tls >= tls || (m->secure && tls <= DOMAIN_MAIL_TLS_REQUIRED);
}

static uint64_t patience(const struct mta *m)
{
	return deadline_in(m->settings->backend_timeout_ms);
}

/* ---- faults ---- */

static enum fault_code code_of(int error)
{
	switch (error) {
	case -ECONNREFUSED:
		return FAULT_MAIL_BACKEND_REFUSED;
	case -ETIMEDOUT:
		return FAULT_MAIL_BACKEND_SILENT;
	case -ENOENT:
		return FAULT_MAIL_BACKEND_NAME_UNKNOWN;
	case -ECONNRESET:
	case -EPIPE:
	case -EPROTO:
		return FAULT_MAIL_BACKEND_BROKE_OFF;
	default:
		return FAULT_MAIL_BACKEND_UNREACHABLE;
	}
}

static void backend_fault(struct fault *f, const struct backend *b, enum fault_code code, const char *error)
{
	fault_set(f, code);
	fault_fact(f, "backend", "%s", b->text);
	fault_fact(f, "error", "%s", error);
}

void mta_fault(struct fault *f, const struct mta *m, int error)
{
	backend_fault(f, m->backend, code_of(error), strerror(-error));
}

/* The backend said something that it should not at that step. */
static int fault_of_reply(struct mta *m, const char *step, const struct smtp_reply *reply, struct fault *f)
{
	fault_set(f, FAULT_MAIL_BACKEND_UNFIT);
	fault_fact(f, "backend", "%s", m->backend->text);
	fault_fact(f, "step", "%s", step);
	fault_fact(f, "reply", "%u %.*s", reply->code, SPAN_ARG(span_sub(reply->text, 0, 200)));
	return -EPROTO;
}

static int fault_of_error(const struct mta *m, int error, struct fault *f)
{
	mta_fault(f, m, error);
	return error;
}

/* ---- asking ---- */

int mta_ask(struct mta *m, struct span bytes, struct smtp_reply *ret)
{
	/* What the backend said unasked would be taken for the answer. */
	if (m->client.in.n > m->client.used)
		return -EPROTO;
	return smtp_client_ask(&m->client, bytes, patience(m), ret);
}

/* Moves a refusal of MAIL into memory of its own: the next reply overwrites where it stands. */
static void keep_reply(struct mta *m, struct smtp_reply *reply)
{
	size_t used;

	buf_reset(&m->mail_reply);
	buf_add_span(&m->mail_reply, reply->lines);
	must(smtp_reply_parse(buf_span(&m->mail_reply), reply, &used) == 1);
}

int mta_envelope(struct mta *m, struct span mail_line, struct span rcpt_line, struct smtp_reply *ret_mail,
	struct smtp_reply *ret_rcpt)
{
	_cleanup_(buf_done) struct buf both = BUF_INIT(2 * SMTP_LINE_MAX);
	bool pipelining = m->client.caps.mask & SMTP_CAP_PIPELINING;
	int r;

	*ret_mail = *ret_rcpt = (struct smtp_reply){ 0 };
	if (m->begun)
		return mta_ask(m, rcpt_line, ret_rcpt);
	buf_add_span(&both, mail_line);
	if (pipelining)
		buf_add_span(&both, rcpt_line);
	r = mta_ask(m, buf_span(&both), ret_mail);
	if (r < 0)
		return r;
	if (ret_mail->code / 100 == 2) /* whatever the other digits (RFC 5321 4.2.1) */
		m->begun = true;
	else
		keep_reply(m, ret_mail);
	if (pipelining)
		r = smtp_client_read(&m->client, patience(m), ret_rcpt);
	else if (m->begun)
		r = mta_ask(m, rcpt_line, ret_rcpt);
	/* It refused MAIL and closed: its word counts, unless it only was in a hurry. */
	if (r < 0 && !m->begun && ret_mail->code >= 400 && ret_mail->code != 421) {
		*ret_rcpt = (struct smtp_reply){ 0 };
		m->broken = true;
		return 0;
	}
	return r;
}

/* ---- beginning ---- */

/* The client's name as a word of ours: it may hold anything that is printed. */
static void name_of(const struct mta_client *client, char ret[SMTP_NAME_MAX + 1])
{
	struct span helo = span_sub(client->helo, 0, SMTP_NAME_MAX);

	for (size_t i = 0; i < helo.n; i++)
		ret[i] = helo.p[i] > ' ' && helo.p[i] < 0x7f ? helo.p[i] : '?';
	ret[helo.n] = '\0';
}

/* The backend refused the client's EHLO name, not us. */
static int refuses_name(const struct mta *m, const char *name, const struct smtp_reply *reply, struct fault *f)
{
	fault_set(f, FAULT_MAIL_HELO_REFUSED);
	fault_fact(f, "backend", "%s", m->backend->text);
	fault_fact(f, "helo", "%s", name);
	fault_fact(f, "reply", "%u %.*s", reply->code, SPAN_ARG(span_sub(reply->text, 0, 200)));
	return -EPROTO;
}

/* as: in whose name; NULL: ours. */
static int say_hello(struct mta *m, struct backends *all, const struct mta_client *as, struct fault *f)
{
	char name[SMTP_NAME_MAX + 1];
	struct smtp_reply reply;
	int r;

	if (as)
		name_of(as, name);
	r = smtp_client_hello(&m->client, as ? name : m->settings->hostname, patience(m), &reply);
	if (r < 0)
		return fault_of_error(m, r, f);
	if (as && reply.code >= 400 && reply.code != 421)
		return refuses_name(m, name, &reply, f);
	if (reply.code != 250)
		return fault_of_reply(m, "EHLO", &reply, f);
	if (all)
		backend_learn(all, m->backend, &m->client.caps);
	return 0;
}

/* The backend is ourselves: without this, mail for its domain would open sessions with us until we
 * refuse ourselves. */
static int fault_of_loop(const struct backend *b, const char *how, const char *how_de, struct fault *f)
{
	fault_set(f, FAULT_MAIL_LOOP);
	fault_fact(f, "backend", "%s", b->text);
	fault_fact(f, "how", "%s", how);
	fault_fact(f, "how_de", "%s", how_de);
	return -ELOOP;
}

static int await_greeting(struct mta *m, const struct backends *all, struct fault *f)
{
	struct smtp_reply reply;
	int r = smtp_client_read(&m->client, patience(m), &reply);

	if (r < 0)
		return fault_of_error(m, r, f);
	if (span_find(reply.text, span_of(all->mark)) >= 0)
		return fault_of_loop(m->backend, "it greets with our own words", "er grüßt mit unseren eigenen Worten",
			f);
	return reply.code == 220 ? 0 : fault_of_reply(m, "greeting", &reply, f);
}

static int go_without_tls(struct mta *m, const char *reply, struct fault *f)
{
	if (m->tls == DOMAIN_MAIL_TLS_OPPORTUNISTIC)
		return 0;
	backend_fault(f, m->backend, FAULT_MAIL_BACKEND_NO_TLS, reply);
	return -ENOTSUP;
}

static int tls_failed(struct mta *m, int error, const struct fault *why, struct fault *f)
{
	backend_fault(f, m->backend, FAULT_MAIL_BACKEND_TLS_FAILED, strerror(-error));
	fault_fact(f, "why", "%s", fault_code_text(why->code));
	return error;
}

static int shake_hands(struct mta *m, struct fault *f)
{
	struct tls_client_settings tls = { .name = span_of(m->backend->host),
		.no_verify = m->tls != DOMAIN_MAIL_TLS_VERIFIED,
		.starttls = true };
	struct fault why;
	int r;

	fault_clear(&why);
	r = tls_connect(m->client.conn, &tls, deadline_in(m->settings->tls_timeout_ms), &why);
	m->secure = r == 0;
	return r == 0 ? 0 : tls_failed(m, r, &why, f);
}

static bool is_tls13(const struct conn *c)
{
	struct tls_info info;

	return tls_conn_info(c, &info) && strcmp(info.version, "TLSv1.3") == 0;
}

/* EHLO inside TLS. Who refuses us in TLS 1.3 - for want of a certificate, mostly - does so when our
 * handshake is done already, and his alert may be lost: he closes with our EHLO unread, and that
 * resets the connection. So an end before a single word was said inside TLS is a failed
 * handshake. */
static int hello_again(struct mta *m, const struct mta_client *as, struct fault *f)
{
	struct fault why;
	int r = say_hello(m, NULL, as, f);
	bool ended = r == -ECONNRESET || r == -EPIPE;

	if (r == 0)
		return 0;
	if (!tls_conn_refused(m->client.conn, &why)) {
		if (!ended || !is_tls13(m->client.conn))
			return r;
		fault_set(&why, FAULT_TLS_CLIENT_CERT_WANTED);
	}
	m->secure = false;
	return tls_failed(m, r, &why, f);
}

/* STARTTLS by the rule. 0 (look at m->secure), or -errno. */
static int start_tls(struct mta *m, const struct mta_client *as, struct fault *f)
{
	struct smtp_reply reply;
	struct span behind;
	char said[64];
	int r;

	if (m->tls == DOMAIN_MAIL_TLS_OFF ||
		(m->tls == DOMAIN_MAIL_TLS_OPPORTUNISTIC && backend_tls_is_broken(m->backend)))
		return 0;
	if (!(m->client.caps.mask & SMTP_CAP_STARTTLS))
		return go_without_tls(m, "EHLO", f);
	r = smtp_client_has_more(&m->client) ? -EPROTO : smtp_client_starttls(&m->client, patience(m), &reply, &behind);
	if (r < 0)
		return fault_of_error(m, r, f);
	if (reply.code != 220) {
		snprintf(said, sizeof(said), "%u %.*s", reply.code, SPAN_ARG(span_sub(reply.text, 0, 50)));
		return go_without_tls(m, said, f);
	}
	r = shake_hands(m, f);
	return r < 0 ? r : hello_again(m, as, f);
}

static void add_xtext(struct buf *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < '!' || c > '~' || c == '+' || c == '=')
			buf_addf(out, "+%02X", c);
		else
			buf_add_char(out, (char)c);
	}
}

static void add_address(struct buf *out, const char *name, const struct net_addr *a)
{
	char host[NET_ADDR_SIZE];

	net_addr_host_text(a, host);
	buf_addf(out, " %s=%s%s", name, strchr(host, ':') ? "IPV6:" : "", host);
}

/* XTEXT, or one of XCLIENT's words in brackets as it is. */
static void add_name(struct buf *out, const char *attribute, struct span name)
{
	buf_addf(out, " %s=", attribute);
	if (span_starts(name, SPAN("[")))
		buf_add_span(out, name);
	else
		add_xtext(out, name);
}

/* Of the attributes that the backend takes (Postfix XCLIENT_README). */
static void print_xclient(const struct mta *m, const struct mta_client *client, struct buf *out)
{
	unsigned takes = m->client.caps.xclient;

	buf_add_text(out, "XCLIENT");
	if (takes & SMTP_XCLIENT_NAME)
		add_name(out, "NAME", client->name);
	if (takes & SMTP_XCLIENT_REVERSE_NAME)
		add_name(out, "REVERSE_NAME", client->reverse_name);
	if (takes & SMTP_XCLIENT_ADDR)
		add_address(out, "ADDR", client->peer);
	if (takes & SMTP_XCLIENT_PORT)
		buf_addf(out, " PORT=%u", net_addr_port(client->peer));
	if (takes & SMTP_XCLIENT_PROTO)
		buf_addf(out, " PROTO=%s", client->esmtp ? "ESMTP" : "SMTP");
	if (takes & SMTP_XCLIENT_DESTADDR)
		add_address(out, "DESTADDR", client->local);
	if (takes & SMTP_XCLIENT_DESTPORT)
		buf_addf(out, " DESTPORT=%u", net_addr_port(client->local));
	if (takes & SMTP_XCLIENT_HELO) {
		buf_add_text(out, " HELO=");
		add_xtext(out, client->helo);
	}
	buf_add_text(out, "\r\n");
}

static int announce_client(struct mta *m, const struct mta_client *client, struct fault *f)
{
	_cleanup_(buf_done) struct buf line = BUF_INIT(SMTP_LINE_MAX);
	struct smtp_reply reply;
	int r;

	if (!(m->client.caps.mask & SMTP_CAP_XCLIENT)) {
		backend_fault(f, m->backend, FAULT_MAIL_BACKEND_NO_XCLIENT, "EHLO");
		return -ENOTSUP;
	}
	print_xclient(m, client, &line);
	r = mta_ask(m, buf_span(&line), &reply);
	if (r < 0)
		return fault_of_error(m, r, f);
	if (reply.code != 220)
		return fault_of_reply(m, "XCLIENT", &reply, f);
	/* Postfix judges by this name, whatever XCLIENT said before. */
	return say_hello(m, NULL, client, f);
}

static int send_proxy(struct mta *m, const struct mta_client *client, struct fault *f)
{
	_cleanup_(buf_done) struct buf header = BUF_INIT(64);
	int r;

	proxy_header_write(client->peer, client->local, &header);
	r = smtp_client_write(&m->client, buf_span(&header), patience(m));
	return r < 0 ? fault_of_error(m, r, f) : 0;
}

/* From the connection to where MAIL can be said. */
static int open_session(struct mta *m, struct backends *all, const struct mta_client *client, struct fault *f)
{
	bool proxy = m->handed_on == DOMAIN_MAIL_CLIENT_PROXY;
	const struct mta_client *as = proxy ? client : NULL;
	int r = proxy ? send_proxy(m, client, f) : 0;

	if (r == 0)
		r = await_greeting(m, all, f);
	if (r == 0)
		r = say_hello(m, all, as, f);
	if (r == 0)
		r = start_tls(m, as, f);
	if (r == 0 && m->handed_on == DOMAIN_MAIL_CLIENT_XCLIENT)
		r = announce_client(m, client, f);
	return r;
}

/* ---- connecting ---- */

static bool is_loopback(const struct net_addr *a)
{
	static const struct net_prefix v4 = { 104, { [10] = 0xff, [11] = 0xff, [12] = 127 } },
				       v6 = { 128, { [15] = 1 } };

	return net_prefix_contains(&v4, a) || net_prefix_contains(&v6, a);
}

static struct conn *connect_any(struct backend *b, const struct mail_settings *settings, struct fault *f)
{
	uint64_t deadline = deadline_in(settings->connect_timeout_ms);
	struct net_addr addrs[BACKEND_ADDRS_MAX];
	int n = backend_addrs(b, deadline, addrs), error = n;
	struct conn *c = conn_connect_any(addrs, n, deadline, &error);

	if (!c)
		backend_fault(f, b, code_of(error), strerror(-error));
	return c;
}

/* *wanted with a connection of its own, on which MAIL can be said. */
static struct mta *connect_new(struct mail_thread *t, const struct mta *wanted, const struct mta_client *client,
	struct fault *f)
{
	struct conn *c = connect_any(wanted->backend, wanted->settings, f);
	struct mta *m;

	if (!c)
		return NULL;
	if (mail_listens_on(t, &c->peer, net_addr_eq_host(&c->peer, &c->local) || is_loopback(&c->peer))) {
		fault_of_loop(wanted->backend, "mail.listen has its address", "mail.listen hat seine Adresse", f);
		conn_close(c);
		return NULL;
	}
	m = mem_new(struct mta);
	*m = *wanted;
	m->local = is_loopback(&c->peer);
	smtp_client_init(&m->client, c);
	buf_init(&m->mail_reply, SMTP_REPLY_MAX);
	return open_session(m, t->mail->backends, client, f) < 0 ? mta_drop(m) : m;
}

static struct mta *get_new(struct mail_thread *t, const struct mta *wanted, const struct mta_client *client,
	struct fault *f)
{
	struct mta *m = connect_new(t, wanted, client, f);

	if (!m && f->code == FAULT_MAIL_BACKEND_TLS_FAILED && wanted->tls == DOMAIN_MAIL_TLS_OPPORTUNISTIC) {
		log_fault_rated(LOG_LEVEL_WARNING, "mail", "backend-tls-failed", f);
		backend_tls_broke(wanted->backend);
		m = connect_new(t, wanted, client, f);
	}
	backend_went(wanted->backend, m || f->code == FAULT_MAIL_HELO_REFUSED ? NULL : f);
	stat_add(m ? STAT_MAIL_BACKEND_CONNECTIONS : STAT_MAIL_BACKEND_ERRORS, 1);
	return m;
}

/* ---- kept ones ---- */

static struct mta *mta_free(struct mta *m)
{
	smtp_client_done(&m->client);
	buf_done(&m->mail_reply);
	return mem_free(m);
}

struct mta *mta_drop(struct mta *m)
{
	if (!m)
		return NULL;
	kept_remove(&m->kept);
	return mta_free(m);
}

/* A backend that is left without a word writes that into its log. */
static void say_quit(void *arg)
{
	struct mta *m = arg;
	uint64_t deadline = deadline_in(QUIT_MS);
	struct smtp_reply reply;

	if (smtp_client_ask(&m->client, SPAN("QUIT\r\n"), deadline, &reply) == 0)
		conn_shutdown(m->client.conn, deadline);
	mta_free(m);
}

static void quit_in_task(struct mta *m)
{
	if (!task_spawn("mta-quit", say_quit, m))
		mta_free(m);
}

static void on_kept_end(struct kept *k, enum loop_idle_end why)
{
	struct mta *m = container_of(k, struct mta, kept);

	if (why == LOOP_IDLE_TIMEOUT)
		quit_in_task(m);
	else
		mta_free(m);
}

/* With PROXY the backend was told of one client when we connected: no other may use it. */
static bool is_for_one_client(const struct mta *m)
{
	return m->handed_on == DOMAIN_MAIL_CLIENT_PROXY;
}

void mta_put(struct mta *m)
{
	struct kept_list *kept = &m->backend->kept[m->thread];

	m->settings = NULL;
	if (m->broken || smtp_client_has_more(&m->client) || m->client.conn->fd.hung_up) {
		mta_free(m);
	} else if (m->mails >= MTA_MAILS_MAX || kept->n >= m->backend->kept_max) {
		quit_in_task(m);
	} else {
		m->kept.conn = m->client.conn;
		kept_add(kept, &m->kept, deadline_in(is_for_one_client(m) ? MTA_KEPT_ONE_MS : MTA_KEPT_MS),
			on_kept_end);
	}
}

static struct mta *take_kept(struct mail_thread *t, const struct mta *wanted)
{
	list_each_safe (it, &wanted->backend->kept[t->index].conns) {
		struct mta *m = container_of(container_of(it, struct kept, link), struct mta, kept);

		if (m->tls != wanted->tls || m->handed_on != wanted->handed_on ||
			(is_for_one_client(m) && m->tag != wanted->tag))
			continue;
		kept_remove(&m->kept);
		if (kept_is_quiet(m->client.conn))
			return m;
		mta_free(m);
	}
	return NULL;
}

/* Ends what was begun and not finished, and tells the backend of another client. */
static int make_ready(struct mta *m, const struct mta *wanted, const struct mta_client *client)
{
	bool another = m->tag != wanted->tag;
	struct smtp_reply reply;
	struct fault ignored;

	m->settings = wanted->settings;
	m->tag = wanted->tag;
	m->reused = true;
	if (m->begun && (mta_ask(m, SPAN("RSET\r\n"), &reply) < 0 || reply.code != 250))
		return -EPROTO;
	m->begun = false;
	return another && m->handed_on == DOMAIN_MAIL_CLIENT_XCLIENT ? announce_client(m, client, &ignored) : 0;
}

/* Connections are reused only between clients that the backend cannot tell apart. */
static uint64_t tag_of(const struct mta *wanted, const struct mta_client *client)
{
	char text[NET_ADDR_SIZE];
	uint64_t hash;

	if (wanted->handed_on == DOMAIN_MAIL_CLIENT_NONE)
		return 0;
	net_addr_text(client->peer, text);
	hash = span_hash(span_of(text), client->esmtp);
	net_addr_text(client->local, text);
	return span_hash(client->helo, span_hash(span_of(text), hash));
}

struct mta *mta_get(struct mail_thread *t, const struct domain *d, enum domain_mail_tls tls,
	const struct mta_client *client, const struct mail_settings *settings, bool fresh, struct fault *fault)
{
	struct mta wanted = { .backend = backend_get(t->mail->backends, d->mail.host, d->mail.port),
		.tls = tls,
		.handed_on = d->mail_client,
		.settings = settings,
		.thread = t->index };
	struct mta *m;

	wanted.tag = tag_of(&wanted, client);
	while (!fresh && (m = take_kept(t, &wanted))) {
		if (make_ready(m, &wanted, client) == 0) {
			stat_add(STAT_MAIL_BACKEND_REUSED, 1);
			return m;
		}
		mta_free(m);
	}
	return get_new(t, &wanted, client, fault);
}
