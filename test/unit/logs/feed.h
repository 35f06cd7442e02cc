/* Lines fed to a log reader, and the peers that come of them. */
#pragma once
#include "logs/logs.h"

static struct logs *logs;

/* changed_at: of the file that the lines are from. */
static inline void feed_at(const char *text, int64_t changed_at)
{
	logs_free(logs);
	logs = logs_new(0, 0);
	logs_feed(logs, span_of(text), changed_at);
	logs_conclude(logs);
}

static inline void feed(const char *text)
{
	feed_at(text, 1704500000); /* 2024-01-06 */
}

/* The peer with this address. */
static inline const struct log_peer *peer(const char *address)
{
	for (unsigned i = 0; i < logs_count(logs); i++)
		if (strcmp(logs_peer(logs, i)->address, address) == 0)
			return logs_peer(logs, i);
	fail_msg("no peer %s among %u", address, logs_count(logs));
	abort();
}

static inline int tear_down(void **state)
{
	logs = logs_free(logs);
	return 0;
}
