/* Units that people write: durations, sizes, addresses' friends. */
#pragma once
#include <stdint.h>
#include "base/span.h"

/* "30s", "5m", "4h", "7d", "250ms", "0"; a bare number is seconds. 0, -EINVAL, -ERANGE. */
int fmt_parse_duration_ms(struct span s, uint64_t *ret_ms);
/* "64K", "50M", "2G", "1T" (powers of 1024), a bare number is bytes. 0, -EINVAL, -ERANGE. */
int fmt_parse_size(struct span s, uint64_t *ret_bytes);
/* The shortest exact form ("90m" stays "90m", 86400000 is "1d"); NUL-terminated. */
#define FMT_SIZE 32
void fmt_duration(uint64_t ms, char ret[FMT_SIZE]);
/* Exact if it divides ("64K"), else bytes. */
void fmt_size(uint64_t bytes, char ret[FMT_SIZE]);
/* For reading only: "1.4 GiB", "312 KiB", "87 B". */
void fmt_size_rough(uint64_t bytes, char ret[FMT_SIZE]);
/* v in decimal digits, at the end of room; not followed by a NUL. A tenth of what snprintf()
 * costs. */
#define FMT_U64_SIZE 20
struct span fmt_u64(uint64_t v, char room[FMT_U64_SIZE]);
/* The edit distance of two short words, for "did you mean"; words over 64 bytes count as far. */
unsigned fmt_distance(struct span a, struct span b);
/* Writes s to out so that it cannot break a line or command a terminal: control bytes, bytes that
 * are not UTF-8 and those named in also become \xNN. Stops before what does not fit into room;
 * returns the bytes written, which are not followed by a NUL. */
size_t fmt_safe(struct span s, const char *also, char *out, size_t room);

/* What printf's "%-*s" needs for text that is to fill so many columns of a terminal: it counts
 * bytes, and a letter of UTF-8 has up to four of them. */
int fmt_width(const char *text, int columns);
