/* The parts of the evidence: evidence.c (what is called, adding up), write.c (the way into the
 * store), hello.c (what makes two ClientHellos the same). */
#pragma once
#include <pthread.h>
#include "base/list.h"
#include "base/map.h"
#include "evidence/evidence.h"
#include "evidence/hello.h"
#include "guard/guard.h"
#include "store/evidence.h"
#include "store/writer.h"

#define TEXT_MAX  320 /* bytes of a sender, a recipient, an EHLO name */
#define FAULT_MAX 2048

/* ---- what is added up until the store has it ---- */

struct peer_entry {
	struct store_peer p; /* its texts are below, or in the arena */
	char address[64], version[16], suite[64], key[16];
	struct store_hello hellos[STORE_PEER_HELLOS];
	unsigned hellos_n;
};
/* Maps from the fields of the key, joined by newlines, to entries in the arena. */
struct batch {
	struct arena arena;
	struct map peers;        /* struct peer_entry */
	struct map failures;     /* struct store_failure */
	struct map refusals;     /* struct store_refusal */
	struct map mails;        /* struct store_mail */
	struct map graces;       /* struct store_grace */
	struct map certificates; /* struct store_certificate */
	uint64_t events;
};
struct batch *batch_new(void);
struct batch *batch_free(struct batch *b);

/* ---- what is known in memory ---- */

struct recent {
	struct list link; /* the newest first */
	char network[GUARD_NETWORK_SIZE], address[GUARD_NETWORK_SIZE];
	char *helo;
	int64_t at;
	struct fault fault;
};
struct grace {
	struct list link; /* the newest first */
	char *key;
	int64_t first_at, last_at;
};
struct evidence {
	struct writer *writer;
	pthread_mutex_t lock; /* of what follows */
	struct batch *batch;  /* that is added to */
	struct list recent;
	unsigned recent_n;
	struct map graces; /* struct grace by network, EHLO name and domain */
	struct list graces_by_age;
	uint64_t certificates_hash;      /* of those that were told last, and the hour */
	uint64_t written, waiting, lost; /* events: in the store, in the writer's hands, dropped */
	int64_t lost_since, lost_until;
	bool losing; /* the event that is being added found no room */
	bool failing;
	int64_t failing_since;
	struct fault fault; /* of the store */
	/* The writer's: */
	struct arena names; /* of the facts of faults that were read */
	bool told;          /* the log knows that something waits */
};
/* Under the lock. */
struct grace *grace_put(struct evidence *e, struct span key, int64_t first_at, int64_t last_at);
void grace_remove(struct evidence *e, struct grace *g);
void recent_add(struct evidence *e, const char *network, const char *address, struct span helo, int64_t at,
	const struct fault *f);

/* write.c */
extern const struct writer_client evidence_writer_client;
