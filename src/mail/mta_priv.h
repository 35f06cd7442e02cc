/* Inside mail/: between backends.c and mta.c. */
#pragma once
#include <pthread.h>
#include "base/list.h"
#include "io/kept.h"
#include "mail/mail_priv.h"

#define BACKEND_ADDRS_MAX  8
#define BACKEND_RESOLVE_MS 30000  /* addresses are believed for so long */
#define BACKEND_ASK_MS     2000   /* the resolver, when older addresses are known */
#define BACKEND_NO_TLS_MS  300000 /* opportunistic: no more tries after one failed */
/* idle connections to one backend, of all threads: each may hold a process there */
#define MTA_KEPT_MAX    32
#define MTA_KEPT_MS     10000
#define MTA_KEPT_ONE_MS 2000 /* those that only one client can use */
#define MTA_MAILS_MAX   100  /* over one connection */

struct backend {
	char *host, *text;
	uint16_t port;
	bool is_address;      /* host is one */
	bool watched;         /* under backends->lock: a domain of the snapshot has it */
	pthread_mutex_t lock; /* of what follows */
	struct net_addr addrs[BACKEND_ADDRS_MAX];
	unsigned addrs_n;
	uint64_t resolved_ms; /* 0: never */
	bool known;           /* its EHLO was answered once */
	struct smtp_caps caps;
	uint64_t no_tls_until_ms;
	struct fault *trouble; /* of the last try; NULL: it works */
	int64_t trouble_since;
	struct kept_list *kept; /* of struct mta; one a thread, each the thread's own */
	unsigned kept_max;      /* in each */
};
struct backends {
	unsigned threads_n;
	pthread_mutex_t lock;
	struct map by_text; /* of struct backend; they are never removed while we live */
	char mark[20];      /* random, the same as long as the process lives */
	_Atomic unsigned caps;
	_Atomic uint64_t size_max;
};
struct backend *backend_get(struct backends *b, struct span host, uint16_t port);
/* The addresses known by now, resolved anew if they are old. Their number or -errno. Suspends. */
int backend_addrs(struct backend *b, uint64_t deadline, struct net_addr ret[BACKEND_ADDRS_MAX]);
/* It answered EHLO so. */
void backend_learn(struct backends *all, struct backend *b, const struct smtp_caps *caps);
/* How the last try went; NULL: well. */
void backend_went(struct backend *b, const struct fault *trouble);
bool backend_tls_is_broken(struct backend *b);
void backend_tls_broke(struct backend *b);
