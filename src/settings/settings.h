/*
 * The settings of the process: torhaus.conf, read into one immutable struct.
 *
 * The table of keys (settings.c) is the one source of names, presets, ranges, help texts, the man
 * page and `torhaus init`'s file. Domains are not here: they live in the store.
 *
 * A struct settings is published by reference: whoever keeps it takes a reference, nobody changes
 * it. A reload parses anew, and settings_compare() tells what differs and whether the worker can
 * take it in place. Everything that is text is followed by a NUL (settings->store.p serves libc).
 */
#pragma once
#include <stdatomic.h>
#include "base/log.h"
#include "conf/conf.h"
#include "io/net.h"
#include "mail/mail.h"
#include "names/names.h"
#include "web/web.h"

#define SETTINGS_BYTES_MAX   (1u << 20) /* of the file */
#define SETTINGS_LISTEN_MAX  32         /* addresses of one kind */
#define SETTINGS_PROXY_MAX   256        /* networks that may send PROXY headers */
#define SETTINGS_ALLOW_MAX   256        /* networks that may ask for names */
#define SETTINGS_FORWARD_MAX 16         /* upstreams */

struct settings_web {
	struct conf_list listen, listen_tls, proxy_from, forwarded_from; /* as written */
	/* listen.n and listen_tls.n; port 0: any free one */
	struct net_addr *plain, *tls;
	struct net_prefix *proxies;   /* proxy_from.n */
	struct net_prefix *balancers; /* forwarded_from.n */
	unsigned forwarded_by;        /* enum web_forwarded_by */
	uint64_t public_tls_port;
	struct span health_path;
	uint64_t answer_fields_max;
	struct http_limits limits;
	uint64_t tls_timeout_ms;
	uint64_t connections_max;
	uint64_t cache_memory, cache_share;
	bool redirect_to_tls;
};
struct settings_mail {
	struct conf_list listen, listen_tls, proxy_from; /* as written */
	struct net_addr *plain, *tls;
	struct net_prefix *proxies;
	struct span hostname; /* empty: the system's name */
	uint64_t message_size_max, tls_grace_ms;
	uint64_t tls_timeout_ms, command_timeout_ms, data_timeout_ms;
	uint64_t connect_timeout_ms, backend_timeout_ms, final_timeout_ms, tarpit_ms;
	uint64_t connections_max, connections_per_network, commands_max, errors_max, recipients_max;
};
struct settings_names {
	struct conf_list listen, forward, allow; /* as written */
	struct net_addr *addrs, *upstreams;      /* listen.n; forward.n */
	struct net_prefix *allowed;              /* allow.n */
	bool forward_private;
};
struct settings_log {
	unsigned access;           /* enum access_format */
	unsigned level;            /* of settings_log_level() */
	struct span to, access_to; /* "stderr", for to also "journald", or the path of a file */
};
struct settings {
	struct span store;             /* for store_open() */
	struct conf_list certificates; /* folders */
	struct span user;              /* that the worker becomes when started by root */
	uint64_t threads;              /* 0: one a core */
	struct span control;           /* path of the Unix socket */
	struct settings_web web;
	struct settings_mail mail;
	struct settings_names names;
	struct settings_log log;
	struct span file, text; /* what it was read from: for the worker, and for messages */

	struct arena arena; /* ours from here on */
	atomic_uint references;
};
extern const struct conf_key settings_keys[];

/* From text; file is its name for the faults. A reference, or NULL with errors (memory from a). */
struct settings *settings_parse(struct span text, const char *file, struct arena *a, struct conf_errors *errors);
/* From the file path, which need not be readable (SETTINGS-UNREADABLE). Blocking. */
struct settings *settings_load(const char *path, struct arena *a, struct conf_errors *errors);
struct settings *settings_ref(struct settings *s);
struct settings *settings_unref(struct settings *s);

/* The least urgent events that are logged. */
enum log_level settings_log_level(const struct settings *s);

/* What a reload from old to now needs. Names of the keys that differ go to ret_keys (may be NULL),
 * separated by ", ". */
enum settings_change {
	SETTINGS_SAME,
	SETTINGS_IN_PLACE,   /* the worker can take all of it */
	SETTINGS_NEW_WORKER, /* a key that a worker is born with (its user, threads, files) */
};
enum settings_change settings_compare(const struct settings *old, const struct settings *now, struct buf *ret_keys);

/* For web_publish() and its like; they borrow from s. */
void settings_for_web(const struct settings *s, struct web_settings *ret);
void settings_for_mail(const struct settings *s, struct mail_settings *ret);
void settings_for_names(const struct settings *s, struct names_settings *ret);
