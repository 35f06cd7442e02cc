/*
 * Time. Two clocks, never mixed: the monotonic one for deadlines and durations (ms and
 * ns since boot), the wall clock for what people and RFCs read (seconds since 1970, UTC).
 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "base/span.h"

/* The monotonic clock, to the point. */
uint64_t clock_mono_ms(void);
uint64_t clock_mono_ns(void);
/* The same, but it goes on while the machine sleeps: for the age of what others know better. */
uint64_t clock_boot_ms(void);
/* The wall clock; in seconds it costs next to nothing and may be a few ms behind. */
int64_t clock_wall_s(void);
int64_t clock_wall_ms(void);

/* RFC 3339 with the local offset ("2024-01-05T09:14:21+01:00"), NUL-terminated. */
#define CLOCK_RFC3339_SIZE 32
void clock_rfc3339(int64_t wall_s, char ret[CLOCK_RFC3339_SIZE]);
/* Common log format ("05/Jan/2024:09:14:21 +0100"), NUL-terminated. */
#define CLOCK_CLF_SIZE 32
void clock_clf(int64_t wall_s, char ret[CLOCK_CLF_SIZE]);
/* "2026-11-24 09:14" in local time, for people; "-" for 0 and for what has no date. */
#define CLOCK_MINUTE_SIZE 32
void clock_minute(int64_t wall_s, char ret[CLOCK_MINUTE_SIZE]);
/* "YYYY-MM-DD" or RFC 3339 to seconds. 0 or -EINVAL. */
int clock_parse_rfc3339(struct span s, int64_t *ret_wall_s);
