/*
 * What the mail edge keeps, in SQLite. Every addition is an upsert that adds counts; the statements are in sqlite_query.c, the
 * tables in sqlite_schema.c.
 */
#include "base/mem.h"
#include "store/sqlite_priv.h"

#define HOUR_S 3600
#define DAY_S  86400

static struct sqlite *of(struct store *s)
{
	return container_of(s, struct sqlite, store);
}

/* Makes a statement ready to be bound. */
static int prepare(struct store *s, enum sqlite_query which, sqlite3_stmt **ret, struct fault *fault)
{
	struct sqlite *q = of(s);
	int r = sqlite_ready(q, fault);

	return r < 0 ? r : sqlite_query(q, which, ret, fault);
}

/* ---- additions ---- */

/* A statement that returns one row. A value of 0 to 2 columns to ret. */
static int run_returning(struct sqlite *q, sqlite3_stmt *stmt, int64_t *ret, int columns, struct fault *fault)
{
	int rc = sqlite3_step(stmt);

	for (int i = 0; rc == SQLITE_ROW && i < columns; i++)
		ret[i] = sqlite3_column_int64(stmt, i);
	/* What RETURNING changes is done at its first row; the reset only ends the statement. */
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return rc == SQLITE_ROW ? 0 : sqlite_fail(q, rc, fault);
}

/* A statement whose parameters are numbers at most; count: of them. */
static int run_numbers(struct sqlite *q, enum sqlite_query which, const int64_t *v, int count, uint64_t *rows,
	struct fault *fault)
{
	sqlite3_stmt *stmt;
	int r = sqlite_query(q, which, &stmt, fault);

	if (r < 0)
		return r;
	for (int i = 0; i < count; i++)
		sqlite3_bind_int64(stmt, i + 1, v[i]);
	r = sqlite_change(q, stmt, fault);
	if (r == 0 && rows)
		*rows += (uint64_t)sqlite3_changes64(q->db);
	return r;
}

static int hello_add(struct sqlite *q, int64_t peer, const struct store_hello *h, struct fault *fault)
{
	sqlite3_stmt *stmt;
	int64_t hello = 0;
	int r = sqlite_query(q, Q_HELLO_ADD, &stmt, fault);

	if (r < 0)
		return r;
	sqlite_bind(stmt, "bbi", span_make(h->fingerprint, sizeof(h->fingerprint)), h->bytes, h->last_at);
	r = run_returning(q, stmt, &hello, 1, fault);
	if (r == 0)
		r = sqlite_query(q, Q_PEER_HELLO_ADD, &stmt, fault);
	if (r < 0)
		return r;
	sqlite_bind(stmt, "iiiiii", peer, hello, (int64_t)h->succeeded, (int64_t)h->failed, h->first_at, h->last_at);
	return sqlite_change(q, stmt, fault);
}

static int peer_add(struct store *s, const struct store_peer *p, const struct store_hello *hellos, unsigned n,
	struct fault *fault)
{
	struct sqlite *q = of(s);
	sqlite3_stmt *stmt;
	int64_t id = 0;
	int r = prepare(s, Q_PEER_ADD, &stmt, fault);

	if (r < 0)
		return r;
	sqlite_bind(stmt, "tttiiiiiiitttitt", p->network, p->helo, p->address, p->first_at, p->last_at,
		(int64_t)p->handshakes, (int64_t)p->failures, (int64_t)p->refusals, (int64_t)p->mails,
		(int64_t)p->mails_clear, p->version, p->suite, p->key, p->failed_at, p->fault, p->proof);
	r = run_returning(q, stmt, &id, 1, fault);
	if (r == 0 && p->mails > 0)
		r = run_numbers(q, Q_PEER_DAY_ADD, (int64_t[]){ id, p->last_at / DAY_S, (int64_t)p->mails }, 3, NULL,
			fault);
	for (unsigned i = 0; r == 0 && i < n; i++)
		r = hello_add(q, id, &hellos[i], fault);
	if (r == 0 && n > 0)
		r = run_numbers(q, Q_PEER_HELLO_TRIM, (int64_t[]){ id, STORE_PEER_HELLOS }, 2, NULL, fault);
	if (r == 0)
		r = sqlite_query(q, Q_PEER_TRIM_NETWORK, &stmt, fault);
	if (r < 0)
		return r;
	sqlite_bind(stmt, "ti", p->network, (int64_t)STORE_PEERS_PER_NETWORK);
	return sqlite_change(q, stmt, fault);
}

/* Asks a bound statement for the rows of a network in an hour, and whether the one wanted is among them: does it fit? */
static int has_room(struct sqlite *q, sqlite3_stmt *stmt, bool *ret, struct fault *fault)
{
	int64_t v[2] = { 0 };
	int r = run_returning(q, stmt, v, 2, fault);

	*ret = v[0] < STORE_ROWS_PER_HOUR || v[1] != 0;
	return r;
}

static int failure_add(struct store *s, const struct store_failure *f, struct fault *fault)
{
	struct sqlite *q = of(s);
	int64_t hour = f->first_at / HOUR_S;
	sqlite3_stmt *stmt;
	bool room = true;
	int r = prepare(s, Q_FAILURE_ROOM, &stmt, fault);

	if (r < 0)
		return r;
	sqlite_bind(stmt, "titt", f->network, hour, f->helo, f->code);
	r = has_room(q, stmt, &room, fault);
	if (r == 0)
		r = sqlite_query(q, Q_FAILURE_ADD, &stmt, fault);
	if (r < 0)
		return r;
	sqlite_bind(stmt, "titttiiittt", f->network, hour, room ? f->helo : SPAN("*"), f->code, f->address, f->first_at,
		f->last_at, (int64_t)f->times, f->fault, f->also, f->proof);
	return sqlite_change(q, stmt, fault);
}

static int refusal_add(struct store *s, const struct store_refusal *f, struct fault *fault)
{
	struct sqlite *q = of(s);
	int64_t hour = f->first_at / HOUR_S;
	sqlite3_stmt *stmt;
	bool room = true;
	int r = prepare(s, Q_REFUSAL_ROOM, &stmt, fault);

	if (r < 0)
		return r;
	sqlite_bind(stmt, "ttitttt", f->domain, f->network, hour, f->helo, f->sender, f->recipient, f->code);
	r = has_room(q, stmt, &room, fault);
	if (r == 0)
		r = sqlite_query(q, Q_REFUSAL_ADD, &stmt, fault);
	if (r < 0)
		return r;
	sqlite_bind(stmt, "ttittttttiii", f->domain, f->network, hour, room ? f->helo : SPAN("*"),
		room ? f->sender : SPAN("*"), room ? f->recipient : SPAN("*"), f->code, f->earlier, f->address,
		f->first_at, f->last_at, (int64_t)f->times);
	return sqlite_change(q, stmt, fault);
}

static int mail_add(struct store *s, const struct store_mail *m, struct fault *fault)
{
	struct sqlite *q = of(s);
	sqlite3_stmt *stmt;
	int r = prepare(s, Q_MAIL_ADD, &stmt, fault);

	if (r < 0)
		return r;
	sqlite_bind(stmt, "tittttiii", m->domain, m->day, m->version, m->suite, m->hop, m->verdict, (int64_t)m->mails,
		(int64_t)m->recipients, (int64_t)m->bytes);
	return sqlite_change(q, stmt, fault);
}

static int grace_put(struct store *s, const struct store_grace *g, struct fault *fault)
{
	struct sqlite *q = of(s);
	bool put = g->first_at != 0;
	sqlite3_stmt *stmt;
	int r = prepare(s, put ? Q_GRACE_PUT : Q_GRACE_REMOVE, &stmt, fault);

	if (r < 0)
		return r;
	if (put)
		sqlite_bind(stmt, "tttii", g->network, g->helo, g->domain, g->first_at, g->last_at);
	else
		sqlite_bind(stmt, "ttt", g->network, g->helo, g->domain);
	return sqlite_change(q, stmt, fault);
}

static int certificate_add(struct store *s, const struct store_certificate *c, struct fault *fault)
{
	struct sqlite *q = of(s);
	sqlite3_stmt *stmt;
	int r = prepare(s, Q_CERTIFICATE_ADD, &stmt, fault);

	if (r < 0)
		return r;
	sqlite_bind(stmt, "bttitiiiii", span_make(c->sha256, sizeof(c->sha256)), c->name, c->key, (int64_t)c->bits,
		c->issuer, (int64_t)c->self_signed, c->not_before, c->not_after, c->first_at, c->last_at);
	return sqlite_change(q, stmt, fault);
}

/* ---- bounds and ages ---- */

static int trim(struct store *s, struct fault *fault)
{
	static const struct {
		enum sqlite_query which;
		int64_t most;
	} bounds[] = {
		{ Q_PEER_TRIM, STORE_PEERS_MAX },
		{ Q_HELLO_TRIM, STORE_HELLOS_MAX },
		{ Q_FAILURE_TRIM, STORE_ROWS_MAX },
		{ Q_REFUSAL_TRIM, STORE_ROWS_MAX },
		{ Q_GRACE_TRIM, STORE_GRACES_MAX },
		{ Q_CERTIFICATE_TRIM, STORE_CERTIFICATES_MAX },
	};
	struct sqlite *q = of(s);
	int r = sqlite_ready(q, fault);

	for (size_t i = 0; r == 0 && i < array_len(bounds); i++)
		r = run_numbers(q, bounds[i].which, &bounds[i].most, 1, NULL, fault);
	return r;
}

static int expire(struct store *s, int64_t now, uint64_t *ret_rows, struct fault *fault)
{
	const struct {
		enum sqlite_query which;
		int64_t before;
	} ages[] = {
		{ Q_PEER_EXPIRE, now - (int64_t)STORE_COUNTS_DAYS * DAY_S },
		{ Q_PEER_DAY_EXPIRE, now / DAY_S - STORE_RECENT_DAYS },
		{ Q_FAILURE_EXPIRE, now - (int64_t)STORE_ROWS_DAYS * DAY_S },
		{ Q_REFUSAL_EXPIRE, now - (int64_t)STORE_ROWS_DAYS * DAY_S },
		{ Q_MAIL_EXPIRE, now / DAY_S - STORE_COUNTS_DAYS },
		{ Q_CERTIFICATE_EXPIRE, now - (int64_t)STORE_COUNTS_DAYS * DAY_S },
		{ Q_GRACE_EXPIRE, now - (int64_t)STORE_GRACE_DAYS * DAY_S },
	};
	static const int64_t batch = STORE_EXPIRE_BATCH;
	struct sqlite *q = of(s);
	int r = sqlite_ready(q, fault);

	*ret_rows = 0;
	for (size_t i = 0; r == 0 && i < array_len(ages); i++)
		r = run_numbers(q, ages[i].which, (int64_t[]){ ages[i].before, batch }, 2, ret_rows, fault);
	if (r == 0)
		r = run_numbers(q, Q_HELLO_EXPIRE, &batch, 1, ret_rows, fault);
	return r;
}

/* ---- reading ---- */

/* Where rows go; one of fn. */
struct reader {
	union {
		store_peer_fn *peer;
		store_hello_fn *hello;
		store_failure_fn *failure;
		store_refusal_fn *refusal;
		store_mail_fn *mail;
		store_grace_fn *grace;
		store_certificate_fn *certificate;
	} fn;
	void *arg;
};
typedef int row_fn(const struct reader *to, sqlite3_stmt *row);

static int read_rows(struct store *s, sqlite3_stmt *stmt, row_fn *row, const struct reader *to, struct fault *fault)
{
	int r = 0, rc = SQLITE_DONE;

	while (r == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		r = row(to, stmt);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	if (r == 0 && rc != SQLITE_DONE)
		r = sqlite_fail(of(s), rc, fault);
	return r;
}

static uint64_t column_count(sqlite3_stmt *row, int at)
{
	return (uint64_t)sqlite3_column_int64(row, at);
}

/* The columns of PEER_COLUMNS. */
static struct store_peer peer_of(sqlite3_stmt *row)
{
	return (struct store_peer){
		.network = sqlite_column(row, 0),
		.helo = sqlite_column(row, 1),
		.address = sqlite_column(row, 2),
		.first_at = sqlite3_column_int64(row, 3),
		.last_at = sqlite3_column_int64(row, 4),
		.handshakes = column_count(row, 5),
		.failures = column_count(row, 6),
		.refusals = column_count(row, 7),
		.mails = column_count(row, 8),
		.mails_clear = column_count(row, 9),
		.version = sqlite_column(row, 10),
		.suite = sqlite_column(row, 11),
		.key = sqlite_column(row, 12),
		.failed_at = sqlite3_column_int64(row, 13),
		.fault = sqlite_column(row, 14),
		.proof = sqlite_column(row, 15),
		.mails_recent = column_count(row, 16),
	};
}

static int peer_row(const struct reader *to, sqlite3_stmt *row)
{
	struct store_peer p = peer_of(row);

	return to->fn.peer(to->arg, &p);
}

static int peer_each(struct store *s, bool failed, store_peer_fn *fn, void *arg, struct fault *fault)
{
	struct reader to = { .fn.peer = fn, .arg = arg };
	sqlite3_stmt *stmt;
	int r = prepare(s, failed ? Q_PEERS_FAILED : Q_PEERS, &stmt, fault);

	return r < 0 ? r : read_rows(s, stmt, peer_row, &to, fault);
}

static int hello_row(const struct reader *to, sqlite3_stmt *row)
{
	struct store_peer p = peer_of(row);
	struct span fingerprint = sqlite_column(row, 17);
	struct store_hello h = {
		.bytes = sqlite_column(row, 18),
		.succeeded = column_count(row, 19),
		.failed = column_count(row, 20),
		.first_at = sqlite3_column_int64(row, 21),
		.last_at = sqlite3_column_int64(row, 22),
	};

	if (fingerprint.n == sizeof(h.fingerprint))
		memcpy(h.fingerprint, fingerprint.p, fingerprint.n);
	return to->fn.hello(to->arg, &p, &h);
}

static int hello_each(struct store *s, store_hello_fn *fn, void *arg, struct fault *fault)
{
	struct reader to = { .fn.hello = fn, .arg = arg };
	sqlite3_stmt *stmt;
	int r = prepare(s, Q_PEER_HELLOS, &stmt, fault);

	return r < 0 ? r : read_rows(s, stmt, hello_row, &to, fault);
}

static int failure_row(const struct reader *to, sqlite3_stmt *row)
{
	struct store_failure f = {
		.network = sqlite_column(row, 0),
		.helo = sqlite_column(row, 1),
		.address = sqlite_column(row, 2),
		.first_at = sqlite3_column_int64(row, 3),
		.last_at = sqlite3_column_int64(row, 4),
		.times = column_count(row, 5),
		.code = sqlite_column(row, 6),
		.fault = sqlite_column(row, 7),
		.also = sqlite_column(row, 8),
		.proof = sqlite_column(row, 9),
	};

	return to->fn.failure(to->arg, &f);
}

static int failure_each(struct store *s, int64_t from, int64_t to, store_failure_fn *fn, void *arg, struct fault *fault)
{
	struct reader reader = { .fn.failure = fn, .arg = arg };
	sqlite3_stmt *stmt;
	int r = prepare(s, Q_FAILURES, &stmt, fault);

	if (r < 0)
		return r;
	sqlite_bind(stmt, "ii", from, to);
	return read_rows(s, stmt, failure_row, &reader, fault);
}

static int refusal_row(const struct reader *to, sqlite3_stmt *row)
{
	struct store_refusal f = {
		.domain = sqlite_column(row, 0),
		.network = sqlite_column(row, 1),
		.helo = sqlite_column(row, 2),
		.address = sqlite_column(row, 3),
		.sender = sqlite_column(row, 4),
		.recipient = sqlite_column(row, 5),
		.first_at = sqlite3_column_int64(row, 6),
		.last_at = sqlite3_column_int64(row, 7),
		.times = column_count(row, 8),
		.code = sqlite_column(row, 9),
		.earlier = sqlite_column(row, 10),
	};

	return to->fn.refusal(to->arg, &f);
}

static int refusal_each(struct store *s, struct span domain, int64_t from, int64_t to, store_refusal_fn *fn, void *arg,
	struct fault *fault)
{
	struct reader reader = { .fn.refusal = fn, .arg = arg };
	sqlite3_stmt *stmt;
	int r = prepare(s, Q_REFUSALS, &stmt, fault);

	if (r < 0)
		return r;
	sqlite_bind(stmt, "tii", domain, from, to);
	return read_rows(s, stmt, refusal_row, &reader, fault);
}

static int mail_row(const struct reader *to, sqlite3_stmt *row)
{
	struct store_mail m = {
		.domain = sqlite_column(row, 0),
		.day = sqlite3_column_int64(row, 1),
		.version = sqlite_column(row, 2),
		.suite = sqlite_column(row, 3),
		.hop = sqlite_column(row, 4),
		.verdict = sqlite_column(row, 5),
		.mails = column_count(row, 6),
		.recipients = column_count(row, 7),
		.bytes = column_count(row, 8),
	};

	return to->fn.mail(to->arg, &m);
}

static int mail_each(struct store *s, struct span domain, int64_t first, int64_t last, store_mail_fn *fn, void *arg,
	struct fault *fault)
{
	struct reader to = { .fn.mail = fn, .arg = arg };
	sqlite3_stmt *stmt;
	int r = prepare(s, Q_MAILS, &stmt, fault);

	if (r < 0)
		return r;
	sqlite_bind(stmt, "tii", domain, first, last);
	return read_rows(s, stmt, mail_row, &to, fault);
}

static int certificate_row(const struct reader *to, sqlite3_stmt *row)
{
	struct span sha256 = sqlite_column(row, 0);
	struct store_certificate c = {
		.name = sqlite_column(row, 1),
		.key = sqlite_column(row, 2),
		.bits = column_count(row, 3),
		.issuer = sqlite_column(row, 4),
		.self_signed = sqlite3_column_int64(row, 5) != 0,
		.not_before = sqlite3_column_int64(row, 6),
		.not_after = sqlite3_column_int64(row, 7),
		.first_at = sqlite3_column_int64(row, 8),
		.last_at = sqlite3_column_int64(row, 9),
	};

	if (sha256.n == sizeof(c.sha256))
		memcpy(c.sha256, sha256.p, sha256.n);
	return to->fn.certificate(to->arg, &c);
}

static int certificate_each(struct store *s, struct span name, int64_t from, int64_t to, store_certificate_fn *fn,
	void *arg, struct fault *fault)
{
	struct reader reader = { .fn.certificate = fn, .arg = arg };
	sqlite3_stmt *stmt;
	int r = prepare(s, Q_CERTIFICATES, &stmt, fault);

	if (r < 0)
		return r;
	sqlite_bind(stmt, "tii", name, from, to);
	return read_rows(s, stmt, certificate_row, &reader, fault);
}

static int grace_row(const struct reader *to, sqlite3_stmt *row)
{
	struct store_grace g = {
		.network = sqlite_column(row, 0),
		.helo = sqlite_column(row, 1),
		.domain = sqlite_column(row, 2),
		.first_at = sqlite3_column_int64(row, 3),
		.last_at = sqlite3_column_int64(row, 4),
	};

	return to->fn.grace(to->arg, &g);
}

static int grace_each(struct store *s, store_grace_fn *fn, void *arg, struct fault *fault)
{
	struct reader to = { .fn.grace = fn, .arg = arg };
	sqlite3_stmt *stmt;
	int r = prepare(s, Q_GRACES, &stmt, fault);

	return r < 0 ? r : read_rows(s, stmt, grace_row, &to, fault);
}

const struct store_evidence_engine sqlite_evidence = {
	.peer_add = peer_add,
	.failure_add = failure_add,
	.refusal_add = refusal_add,
	.mail_add = mail_add,
	.grace_put = grace_put,
	.certificate_add = certificate_add,
	.trim = trim,
	.expire = expire,
	.peer_each = peer_each,
	.hello_each = hello_each,
	.failure_each = failure_each,
	.refusal_each = refusal_each,
	.mail_each = mail_each,
	.certificate_each = certificate_each,
	.grace_each = grace_each,
};
