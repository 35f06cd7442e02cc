/* What the files of dns/ share. */
#pragma once
#include "base/mem.h"
#include "dns/dns.h"

/* Room for n more bytes, or NULL and the error. */
uint8_t *dns_writer_room(struct dns_writer *w, size_t n);
