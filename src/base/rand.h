/* Randomness. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* n bytes fit for keys (getrandom; does not fail once the machine has booted). */
void rand_bytes(void *p, size_t n);
/* Fast, per thread, not for secrets: jitter, ports, picks. */
uint64_t rand_fast(void);
/* Below limit (> 0), without bias worth speaking of. */
uint64_t rand_below(uint64_t limit);
