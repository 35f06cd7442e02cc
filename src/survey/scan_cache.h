/*
 * Results of earlier scans, so that nobody is asked again within a day: a file of lines of JSON,
 * those that a scan prints (--compare reads it, too) with what else a result consists of in the
 * member "cache": certificates as they were sent, flags, the depth of the probe.
 *
 * What holds for whom. A result belongs to an address, a port, a way (STARTTLS or not) and the name
 * that was asked for, since a server may choose its certificate by the name. What a server says
 * before it hears the name (too many connections, no STARTTLS, STARTTLS masked or refused) holds
 * for every name at the address. A quick result does not do for a full scan; a refusal or silence
 * only counts for the same EHLO name and the same patience. Servers that could not be reached are
 * not kept: nobody was asked.
 *
 * What is judged anew. Certificates are read again, so that days left, names and CAs are those of
 * today; findings follow from that.
 *
 * The file. Read at the beginning; at the end read again, under a lock, so that of two scans at a
 * time neither undoes the other's work, and written anew beside its place: lines of the last
 * SCAN_CACHE_AGE_S, the latest SCAN_CACHE_BYTES_MAX of them. A line that is damaged is left out.
 */
#pragma once
#include "probe/probe.h"

#define SCAN_CACHE_AGE_S     86400
#define SCAN_CACHE_BYTES_MAX (64 << 20)

struct scan_cache;
/* Reads the file, if it is there. *ret_fault (SCAN-CACHE-DAMAGED, SCAN-CACHE-UNUSABLE): what is
 * wrong with it, else cleared; the cache works all the same, if need be without a file. Blocks. */
struct scan_cache *scan_cache_new(const char *path, int64_t now_s, struct fault *ret_fault);
struct scan_cache *scan_cache_free(struct scan_cache *c);
/* A result for p (settings, host, addr, arena are set) that is younger than since_s, into p.
 * *ret_asked_at: when it was asked. */
bool scan_cache_find(struct scan_cache *c, struct probe *p, int64_t since_s, int64_t *ret_asked_at);
/* A result of now; found from now on, and written by scan_cache_save(). */
void scan_cache_add(struct scan_cache *c, const struct probe *p, int64_t now_s);
/* Merges what was added into the file. 0, or a negative errno with *ret_fault (SCAN-CACHE-UNUSABLE)
 * set. Blocks. */
int scan_cache_save(struct scan_cache *c, int64_t now_s, struct fault *ret_fault);

/* ---- scan_kept.c: a line ---- */

struct scan_kept {
	struct span line;
	struct span host, address, starttls, helo;
	uint16_t port;
	enum probe_verdict verdict;
	int64_t asked_at;
	uint64_t answer_ms; /* the patience */
	bool quick;
};
/* p as a line, without a newline. */
void scan_kept_write(const struct probe *p, int64_t now_s, struct buf *out);
/* What a line is about; texts are copied into a, the line is borrowed. 0, or -EINVAL: it is no such
 * line. */
int scan_kept_read(struct span line, struct arena *a, struct scan_kept *ret);
/* The whole result, into p (settings, host, addr, arena are set, the rest zero). whole: also what
 * it said about the name. 0, or -EINVAL with p's results cleared. */
int scan_kept_restore(const struct scan_kept *k, bool whole, int64_t now_s, struct probe *p);
