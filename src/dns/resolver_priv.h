/* Inside the resolver: the state of the process, of a thread, of a question and of one try. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>
#include "base/list.h"
#include "dns/resolver.h"
#include "io/loop.h"
#include "stats/stats.h"

#define TRY_AFTER_MS   250  /* without an answer the next upstream is asked */
#define SILENT_MS      1000 /* a try without an answer for so long counts against its upstream */
#define LATE_MS        8000 /* how long a question still listens after everybody was told */
#define TRIES_MAX      3    /* of one question at one upstream (RFC 9520 3.1) */
#define PORTS_MAX      64   /* sockets to one upstream from one thread */
#define PORT_USES_MAX  4096 /* questions on one socket, if it is shared */
#define STREAMS_MAX    64   /* tries by TCP under way on one thread */
#define DOWN_TRY_MS    20   /* between two tries of an upstream that is down, per thread */
#define ANSWER_UDP_MAX 4096 /* longer ones nobody may send us: we say 1232 */
/* How long a failure is remembered: this long at first, twice as long each time that it is found
 * again, up to the other two (RFC 9520 3.2 allows 1 s to 5 minutes). Silence may last: RFC 8767 5
 * asks no more often than every 30 s then. */
#define FAILURE_MS          1000
#define FAILURE_SAID_MAX_MS 5000
#define SILENCE_MAX_MS      30000
#define ANSWER_TTL_MAX      86400
/* how long past its TTL an answer may still be given (RFC 8767 5: 1-3 days) */
#define STALE_MAX_S 86400

/* ---- upstream.c ---- */

/* What all threads know of an upstream. Lives as long as the resolver. */
struct upstream {
	struct list link; /* in resolver->known */
	struct net_addr addr;
	char text[NET_ADDR_SIZE];
	unsigned number;
	atomic_bool down;
	atomic_bool keeps_case; /* of a probe it repeated the question as it was written */
	/* It did not of other questions: these in a row; until then it need not. */
	atomic_uint folded_n;
	_Atomic uint64_t folds_until_ms;
	_Atomic uint64_t self_until_ms; /* a question that went there came back to us */
	_Atomic uint64_t answered_ms;   /* its last answer */
	_Atomic uint64_t asked, answered;
	_Atomic uint32_t rtt_us, rtt_var_us; /* smoothed (RFC 6298), late answers included */
	/* when the question was sent whose answer brought it back the last time */
	_Atomic uint64_t back_sent_ms;
	pthread_mutex_t lock;      /* of what follows */
	unsigned fails, successes; /* in a row */
	/* wall clock: of the last change between up and down; 0: none yet */
	int64_t changed_at;
	struct fault why; /* of the last failure */
	/* The loop test that is under way: its number (0: none), where it was sent from. */
	uint64_t secret;
	struct net_addr secret_from;
};
struct upstream_set {
	atomic_uint refs;
	bool probed; /* set by dns_resolver_use() */
	unsigned n;
	struct upstream *v[DNS_UPSTREAMS_MAX];
};
struct upstream *upstream_new(const struct net_addr *addr, unsigned number);
void upstream_free(struct upstream *u);
static inline bool upstream_is_down(const struct upstream *u)
{
	return atomic_load_explicit(&u->down, memory_order_relaxed);
}
bool upstream_is_usable(const struct upstream *u, uint64_t now_ms);
/* It answered, after rtt_ms, however late that is. True: by that it is up again, and
 * upstream_came_back() is due. */
bool upstream_answered(struct upstream *u, const struct upstream_set *set, uint64_t rtt_ms);
/* How long it is given for an answer before the same question is sent to it once more. */
unsigned upstream_patience_ms(const struct upstream *u);
/* Its answers come, but take longer than silence is believed: it is asked after those that do
 * better. */
bool upstream_is_slow(const struct upstream *u);
/* It did not: code and, for DNS-UPSTREAM-DOWN, the errno. */
void upstream_failed(struct upstream *u, enum fault_code code, int error);
/* A loop test to it begins with that number, from that address; and ends. */
void upstream_test_begin(struct upstream *u, uint64_t secret, const struct net_addr *from);
void upstream_test_end(struct upstream *u, uint64_t secret);
/* A question with that number came from peer: true if it is that of the test under way, and then
 * the upstream is asked no more for a while. */
bool upstream_test_came_back(struct upstream *u, uint64_t secret, const struct net_addr *peer);
/* Must it repeat a question letter by letter (DNS 0x20)? */
bool upstream_keeps_case(const struct upstream *u);
/* It has repeated a question so; it has not, and it was no forger who did not. */
void upstream_kept_case(struct upstream *u);
void upstream_folded_case(struct upstream *u);
bool upstreams_all_down(const struct upstream_set *set);

/* ---- cache.c ---- */

struct answers;
struct answers *answers_new(size_t bytes_max);
struct answers *answers_free(struct answers *a);
/* What is kept for that question: fresh, stale (result->stale) or a failure that still holds.
 * False: nothing. Stale is what is past its TTL, while a failure holds or with stale_too;
 * *ret_refresh: a try for a fresh one is due. */
bool answers_find(struct answers *a, const struct dns_question *q, unsigned bits, bool stale_too,
	struct dns_result *ret, bool *ret_refresh);
void answers_put(struct answers *a, const struct dns_question *q, unsigned bits, struct dns_answer *answer);
/* Nobody had an answer; silent: nor did anybody say so. What was kept stays, as stale. */
void answers_put_failure(struct answers *a, const struct dns_question *q, unsigned bits, unsigned rcode, int ede,
	bool silent);
/* Somebody who was silent answers again: silence of before means nothing any more. */
void answers_forgive(struct answers *a);
void answers_json(struct answers *a, struct jsonw *j);

/* ---- the process and its threads (resolver.c) ---- */

/* How many tries more are allowed (turn.c). */
struct budget {
	unsigned parts;
	uint64_t ms; /* as of then */
};
/* An upstream as one thread asks it. */
struct lane {
	struct upstream *upstream;
	struct dns_client *client;
	struct list ports;
	unsigned ports_n;
	uint64_t next_down_ms; /* when it may be tried again while it is down */
	struct budget copies, more;
	/* how many questions are there by UDP; how many it answered in this second and the last */
	unsigned open_n, answers_n, answers_before_n;
	uint64_t answers_s;
	uint64_t back_sent_ms; /* upstream->back_sent_ms that the questions here know of */
	struct list probes;    /* tries without a question */
	uint64_t next_probe_ms;
	unsigned probes_sent;
};
struct question;
#define QUESTION_BUCKETS 4096
#define TRY_BUCKETS      4096
struct dns_client {
	struct dns_resolver *resolver;
	unsigned index;
	struct loop *loop;
	bool stopping;
	struct upstream_set *set;
	struct lane *lane[DNS_UPSTREAMS_MAX]; /* of set, in its order */
	unsigned lanes_n;
	struct lane **lanes; /* all there ever were */
	struct list buckets[QUESTION_BUCKETS], questions;
	struct list late;               /* questions whose askers have been told */
	struct list tries[TRY_BUCKETS]; /* by UDP, by their id */
	_Atomic unsigned questions_n;
	unsigned streams_n;
	struct list streams_waiting; /* tries */
	struct loop_timer probe_timer;
};
struct system_files;
struct dns_resolver {
	unsigned threads_n;
	struct dns_client *clients;
	struct answers *answers;
	pthread_mutex_t lock; /* of what follows */
	struct list known;
	unsigned known_n;
	struct upstream_set *set;
	struct system_files *files;
};
extern _Thread_local struct dns_client *dns_client;
/* The calling thread's part of r. */
struct dns_client *client_of(struct dns_resolver *r);
void set_upstreams(struct dns_resolver *r, const struct net_addr *v, unsigned n, bool probed);
/* A reference to the set of now. */
struct upstream_set *set_current(struct dns_resolver *r);
struct upstream_set *set_unref(struct upstream_set *set);
bool set_is(const struct upstream_set *set, const struct net_addr *v, unsigned n);
/* What was silent has answered what was sent to it at sent_ms: the questions of all threads that it
 * has swallowed before are asked again. */
void upstream_came_back(struct dns_resolver *r, struct upstream *u, uint64_t sent_ms);

/* ---- tries (port.c, stream.c) ---- */

struct port;
struct stream;
struct dns_try {
	struct list in_question;   /* or in lane->probes */
	struct list in_port;       /* or in client->streams_waiting */
	struct list by_id;         /* in client->tries */
	struct question *question; /* NULL: a probe */
	struct lane *lane;
	struct port *port;
	struct stream *stream;
	uint64_t sent_ms;
	/* DNS 0x20: bit i: the name's byte i (modulo 64) is in upper case */
	uint64_t case_bits;
	uint64_t secret; /* of a probe: the number of its loop test, or 0 */
	uint16_t id;
	bool edns, strict; /* strict: the case must be repeated as it was sent */
	bool late;         /* a probe: that it has no answer has been counted */
};
/* Sends; the answer comes to try_answered() or try_failed(). 0, or -errno if that could not even be
 * sent. */
int port_send(struct dns_try *t);
void stream_send(struct dns_try *t);
/* Its try has gone. */
void stream_leave(struct stream *s);
/* Nobody waits for it any more; frees it. */
void try_drop(struct dns_try *t);
/* The question of t in wire form. Its length. */
size_t try_write(const struct dns_try *t, uint8_t out[DNS_QUERY_MAX]);
/* Is message its answer? Folded: so it seems, but for the case of the letters. */
enum try_match { TRY_OTHER, TRY_FOLDED, TRY_MATCHES };
enum try_match try_match(const struct dns_try *t, struct span message);

/* ---- questions (ask.c) ---- */

struct question {
	struct list link, in_bucket;
	struct dns_client *client;
	uint64_t hash;
	struct loop_timer timer;
	uint64_t started_ms, next_try_ms;
	struct list waiters, tries;
	uint8_t tried[DNS_UPSTREAMS_MAX];
	uint16_t bad;         /* bit per upstream: it answered, with a failure */
	uint16_t unreachable; /* bit per upstream: the network says so */
	uint16_t no_edns;     /* bit per upstream: it does not understand EDNS */
	uint16_t folded;      /* bit per upstream: an answer came in other letters */
	int bad_ede;          /* what the first of these said about it */
	bool stale_given;
	bool late; /* nobody waits, but an answer may still come */
	unsigned bits;
	struct dns_question q; /* in lower case */
};
/* What came for t: its answer (which fits), or an errno (by UDP) or -errno (by TCP). t is gone
 * afterwards. */
void try_answered(struct dns_try *t, struct span message);
void try_failed(struct dns_try *t, int error);
/* What seems to be t's answer repeats the question in other letters. t goes on. */
void try_folded(struct dns_try *t);
/* Ends all questions of this thread. */
void questions_end(struct dns_client *c);
/* The upstreams have changed. */
void questions_restart(struct dns_client *c);
/* Upstream i has lost what was sent to it before sent_ms. */
void questions_ask_again(struct dns_client *c, unsigned i, uint64_t sent_ms);

/* ---- whose turn it is (turn.c) ---- */

/* The number of the upstream that q may be sent to now, or -1. */
int turn_of(const struct question *q, uint64_t now_ms);
/* It is sent there now. */
void turn_taken(struct question *q, unsigned i, uint64_t now_ms);
/* An answer came. */
void turn_answered(struct lane *lane);

/* ---- probe.c ---- */

void probe_start(struct dns_client *c);
void probe_stop(struct dns_client *c);
void probe_answered(struct dns_try *t, struct span message);
void probe_failed(struct dns_try *t, int error);
/* The question of a probe. */
void probe_question(const struct dns_try *t, struct dns_question *ret);
/* It is about to leave by that socket. */
void probe_leaves(const struct dns_try *t, int fd);

/* ---- system.c ---- */

/* What /etc/resolv.conf and /etc/hosts say; immutable. */
struct system_conf;
struct system_files *system_files_new(void);
struct system_files *system_files_free(struct system_files *f);
/* As of now (files are looked at again every 5 s); a reference. Without upstreams of its own r has
 * these from then on. Suspends. */
struct system_conf *system_conf_get(struct dns_resolver *r);
struct system_conf *system_conf_unref(struct system_conf *c);
/* The addresses of a name in /etc/hosts, without port. Their number. */
unsigned system_conf_hosts(const struct system_conf *c, struct span name, struct net_addr *ret, unsigned max);
/* The i-th name to ask for, when somebody says name: name itself, and, if it has no dot, below each
 * search domain. False: no more. */
bool system_conf_candidate(const struct system_conf *c, struct span name, unsigned i, struct dns_name *ret);
/* Pure, for tests: from the texts of both files. */
struct system_conf *system_conf_parse(struct span resolv, struct span hosts);
unsigned system_conf_servers(const struct system_conf *c, struct net_addr ret[DNS_UPSTREAMS_MAX]);
