/* What makes two ClientHellos the same, and what is kept of one. Pure. */
#pragma once
#include "store/evidence.h"

/* The hello at the beginning of what a peer sent, without what came behind it; and what it offers,
 * as 16 bytes. Bytes that are no hello are cut to their beginning and are all the same. */
struct span evidence_hello_cut(struct span bytes, uint8_t ret_fingerprint[STORE_FINGERPRINT]);
