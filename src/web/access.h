/*
 * The access log: a line per answered request.
 *
 * Lines are collected per thread and written by a helper thread when 32 KiB are full or a second
 * has passed: no request waits for a disk. One write per thread is under way at a time; what comes
 * meanwhile waits, up to 1 MiB a thread, then lines are lost and counted (log sinks fail, requests
 * do not).
 *
 * Formats: JSON (one object a line) and Apache's combined format with the site in front
 * (vhost_combined).
 */
#pragma once
#include "base/buf.h"
#include "io/loop.h"

struct web_request;
struct access_log;
struct access_sink;

/* A destination shared by the threads' logs: "stderr" or a path (appended to, made if absent, mode
 * 0640). NULL with errno when it cannot be opened. Reference-counted, so that lines under way reach
 * the old file after a reopen. */
struct access_sink *access_sink_open(const char *to);
struct access_sink *access_sink_ref(struct access_sink *s);
struct access_sink *access_sink_unref(struct access_sink *s);

struct access_log *access_log_new(void);
/* Writes out what is left (blocking; the loop and the helper threads have ended). */
struct access_log *access_log_free(struct access_log *log);
/* From now on lines go there (a reference is taken; NULL: nowhere). On the thread's loop. */
void access_log_to(struct access_log *log, struct access_sink *sink);
/* On the thread's loop; does not suspend. */
void access_log_add(struct access_log *log, const struct web_request *r);
uint64_t access_log_lost(void);
