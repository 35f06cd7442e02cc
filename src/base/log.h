/*
 * The log: what happened, one event a line, for people and for programs.
 *
 *   2024-01-05T09:14:21+01:00 web origin-failed site=example.de code=ORIGIN-REFUSED origin=…
 *     cause:  …
 *     remedy: …
 *
 * Sinks: stderr, journald (priorities as <N> prefixes on stderr, which journald reads; no times,
 * which it adds) or a file (reopened by log_reopen(), so logrotate works), which may be a FIFO.
 * Events of several threads never mix, and up to 4 KiB not those of several processes either. Any
 * thread may log; nothing suspends a task, and nobody waits for a reader: what a pipe does not take
 * waits in a buffer of 256 KiB. What does not fit there, and what a sink does not take at all (disk
 * full), is lost: that costs the events, never the request. log_lost() counts them.
 *
 * Access lines are not this: see web/access.h.
 */
#pragma once
#include "base/fault.h"

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

/* to: "stderr", "journald" or a path. 0 or a negative errno (then the old sink stays). */
int log_open(const char *to);
/* Opens the file again under its name. 0 or a negative errno (then the old file stays). */
int log_reopen(void);
void log_level_max(enum log_level level); /* default: LOG_LEVEL_INFO */
void log_lang(enum fault_lang lang);      /* of causes and remedies; default English */
uint64_t log_lost(void);                  /* events that could not be written */
/* Writes what waited for a reader, as far as it goes, and tells of losses. To be called now and
 * then, about once a second. Any thread. */
void log_flush(void);
/* In a child after fork(): what waits is the parent's to write. */
void log_forget_backlog(void);
/* Opens a log for writing that never makes its writer wait for a reader, where that can be had: a
 * file, a FIFO (also without a reader), or stderr (NULL). The descriptor, the caller's, or
 * -errno. */
int log_sink_open(const char *file);

/* area: "web", "tls", "serve"…; event: a word such as "origin-failed"; fmt: "key=value …" with
 * values made safe by log_value(). */
void log_event(enum log_level level, const char *area, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The same line with code and evidence of f as key=value, and its cause and remedy below. */
void log_fault(enum log_level level, const char *area, const char *event, const struct fault *f);
/* log_fault(), with who it is about ("key=value …") before the code and a further line below, as
 * "English|German"; each may be NULL. */
void log_fault_about(enum log_level level, const char *area, const char *event, const char *who, const struct fault *f,
	const char *more);
/* May this fault be logged, as one of at most 10 a second of its code and thread? The others are
 * counted and summed up. */
bool log_rate_allows(const char *area, const struct fault *f);
/* log_fault(), but at most 10 lines a second of one code and thread; the others are counted and
 * summed up. */
void log_fault_rated(enum log_level level, const char *area, const char *event, const struct fault *f);
/* s as a log value: quoted if it holds blanks or quotes, control bytes as \xNN, cut at 400 bytes.
 * Returns a pointer into a small ring per thread, good for one log_event() call. */
const char *log_value(struct span s);
